import type { Attack } from './attack.ts';
import { requests, tokens } from './certify-attacks.ts';
import { floodsOfCalls } from './floods-attack.ts';
import { frames } from './frames-attack.ts';
import { manifests } from './manifests-attack.ts';
import { rest } from './rest-attack.ts';
import { tenants } from './tenants-attack.ts';

/** Everybody of SECURITY.md's threat model who needs no key or token of ours to begin. */
export const attacks: readonly Attack[] = [tokens, requests, rest, frames, floodsOfCalls, tenants, manifests];
