#!/usr/bin/env node
import { exit, stderr, versions } from 'node:process';
import { whyTooOld } from './needed-node.ts';

/** The command as it is installed. It loads nothing that an older Node could not load before it has said that this is one. */
const why = whyTooOld(versions.node);
if (why !== undefined) {
  stderr.write(`error: ${why}\n`);
  exit(2);
}
await import('@gatehouse/cli/main');
