import { hash } from 'node:crypto';

/**
 * Tells what a stream was sent from anything else, and is equal on all replicas: 128 bits of SHA-256 in hex, so that equal
 * versions may be taken for equal bytes.
 */
export const versionOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex').slice(0, 32);
