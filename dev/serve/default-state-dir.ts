/** Below the working directory, so that two checkouts never share a root of trust; git ignores it. */
export const defaultStateDir = '.gatehouse';
