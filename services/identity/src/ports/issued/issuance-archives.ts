/** The name that a file of the issuance log gets when it is set aside: they sort by their time. */
export const archiveName = (name: string, nowMs: number): string =>
  `${name}.${new Date(nowMs).toISOString().replaceAll(/[-:]/g, '')}`;

const stamp = /^\d{8}T\d{6}\.\d{3}Z$/;

/** Those of the names that were set aside, oldest first. What was compressed since, or named by another program, is not ours. */
export const archivesOf = (name: string, names: readonly string[]): readonly string[] =>
  names.filter((one) => one.startsWith(`${name}.`) && stamp.test(one.slice(name.length + 1))).sort();
