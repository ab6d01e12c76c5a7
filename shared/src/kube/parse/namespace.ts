import type { NamespaceSpec } from '../kinds.ts';
import type { Read } from './read.ts';

/** Labels and annotations are all that a namespace says here. */
export const parseNamespace = (): Read<NamespaceSpec> => ({ spec: {}, warnings: [] });
