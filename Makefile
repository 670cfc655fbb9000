.PHONY: up down test check install

# Boots Nephos with the guestbook on it; safe to run again.
up: install
	@node build/scripts/demo-up.js

down:
	@bin/nephos down --purge

# Everything: format, lint, types, structure, unit tests, end-to-end tests. gVisor's are skipped
# where its package cannot be had.
test:
	@scripts/install runsc
	@npm run -s test

check: install
	@npm run -s check

install:
	@scripts/install
