import assert from "node:assert/strict";
import { test } from "node:test";
import { weave } from "./weave.mjs";

test("lists of one length are woven", () => {
  assert.deepEqual(weave([1, 2], ["a", "b"]), [1, "a", 2, "b"]);
});

test("a short list ends early", () => {
  assert.deepEqual(weave([1, 2, 3], ["a"]), [1, "a", 2, 3]);
});
