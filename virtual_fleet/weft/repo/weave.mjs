/** One item of each list in turn, until all are used up. */
export function weave(...lists) {
  const woven = [];
  for (let i = 0; i < lists[0].length; i++) {
    for (const list of lists) if (i < list.length) woven.push(list[i]);
  }
  return woven;
}
