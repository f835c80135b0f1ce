#!/bin/sh
//usr/bin/env true; case "$(node --version 2>/dev/null)" in v2[4-9].*|v[3-9][0-9].*) exec node "$0" "$@";; esac; echo "order-center: needs Node 24 or newer on the PATH; inside its folder, npx order-center brings one" >&2; exit 1

// The line above is a comment here and a command to the shell: an older Node cannot read a .ts file at all, so it is
// the shell that has to say so. npm, npx and vitest have Node 24 on their PATH (package.json, optionalDependencies).
import { endQuietlyOnClosedPipe, terminal } from './terminal.ts';

if (Number.parseInt(process.versions.node) < 24) {
  terminal.note(`order-center: needs Node 24 or newer, not ${process.versions.node}`);
  process.exitCode = 1;
} else {
  endQuietlyOnClosedPipe();
  const args = process.argv.slice(2);
  const interruption = new AbortController();
  // `start` drains by itself when it is interrupted.
  if (args[0] !== 'start') process.once('SIGINT', () => interruption.abort());
  const { run } = await import('./program.ts');
  process.exitCode = await run(args, { env: process.env, terminal, signal: interruption.signal });
}
