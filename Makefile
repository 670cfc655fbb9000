.PHONY: up down test check install

# Boots Nephos with the guestbook on it; safe to run again.
up: install
	@node build/scripts/demo-up.js

down:
	@bin/nephos down --purge

# Everything: format, lint, types, structure, unit tests, end-to-end tests.
test: install
	@npm run -s test

check: install
	@npm run -s check

install:
	@scripts/install
