import type { Kind } from '@gatehouse/core/resources/kinds';

/** A core kind with many changes, one with few, and one that may be rejected. */
export const soakedKinds = ['Pod', 'Service', 'Server'] as const satisfies readonly Kind[];
