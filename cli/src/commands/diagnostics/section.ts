/** One thing that was looked at: what was found, or why it could not be looked at, which is worth knowing too. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

/** What an answer says, or why there is none. */
export const saying = (ask: () => Promise<string>): Promise<string> => ask().catch(whyNot);

export const whyNot = (thrown: unknown): string =>
  `could not be asked: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
