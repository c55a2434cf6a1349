"""A trace as one page that needs nothing else: no network, no other file. `bot.trace.page.page.render` makes it."""
