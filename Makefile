.PHONY: up down test check install

# Boots Nephos with the guestbook on it; safe to run again.
up: install
	@node build/scripts/demo-up.js

down:
	@bin/nephos down --purge

# Everything: format, lint, types, structure, unit tests, end-to-end tests. Those that need gVisor or
# skopeo are skipped where its package cannot be had.
test:
	@scripts/install runsc skopeo
	@npm run -s test

check: install
	@npm run -s check

install:
	@scripts/install
