import { parseGoDuration } from '@gatehouse/core/go-duration';
import type { Fields } from './fields.ts';

/** A field whose duration is written as Go has it; whole milliseconds. */
export const readGoDuration = (fields: Fields, name: string): number | undefined => {
  const text = fields.text(name);
  return text === undefined ? undefined : fields.take(parseGoDuration(text, fields.pathOf(name)));
};
