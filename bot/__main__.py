"""`python -P -m bot` is the same as `fleet-bot`. Without -P a folder `bot/` in the current folder would win."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
