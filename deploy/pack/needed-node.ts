/** The oldest Node that has what the code uses (`Uint8Array.fromHex` is the newest of it). */
export const neededNode = 26;

/** What a user of an older Node is told; undefined where `version` will do. */
export const whyTooOld = (version: string): string | undefined =>
  Number.parseInt(version, 10) >= neededNode
    ? undefined
    : `gatehouse needs Node ${neededNode} or newer, and this is ${version}: install it, or run \`npx gatehouse\` where @gatehouse/cli is installed, which brings the right one on Linux and on Macs with an Apple chip`;
