/**
 * What was written where a text belongs, as text: for messages, and for names that decide nothing because the object is
 * refused. Anything can stand there, and of some objects (`{ toString: … }`) JavaScript makes no text.
 */
export const writtenText = (written: unknown): string =>
  typeof written === 'object' ? (JSON.stringify(written) ?? '') : String(written);
