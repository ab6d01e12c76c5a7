import { describe, type Fields } from './fields.ts';

/** RFC 9110 §5.6.2 */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A method is a token; those in use are upper case, and the proxy compares with case (RFC 9110 §9.1). */
export const readMethod = (fields: Fields, name: string, value: unknown): string | undefined => {
  if (typeof value === 'string' && token.test(value) && value === value.toUpperCase()) return value;
  const upper = typeof value === 'string' && token.test(value);
  return fields.refuse(
    name,
    `${describe(value)} is not a valid HTTP method`,
    upper ? `did you mean \`${value.toUpperCase()}\`?` : 'a method in upper case, such as GET',
  );
};

/** A header's name, in lower case, as names compare without case. */
export const asHeaderName = (fields: Fields, name: string, value: unknown): string | undefined =>
  typeof value === 'string' && token.test(value)
    ? value.toLowerCase()
    : fields.refuse(
        name,
        `${describe(value)} is not a valid header name`,
        'a token of RFC 9110 §5.6.2, such as x-tenant',
      );

export const readHeaderName = (fields: Fields, name: string): string | undefined =>
  asHeaderName(fields, name, fields.raw(name));

/** A header's value as the proxy can send and compare it: no control characters but the tab (RFC 9110 §5.5). */
const headerText = /^[\t -~\u{80}-\u{10ffff}]*$/u;

/** A proxy that is sent any other value refuses the whole port. */
export const readHeaderText = (fields: Fields, name: string): string | undefined => {
  const text = fields.text(name);
  return text === undefined || headerText.test(text)
    ? text
    : fields.refuse(
        name,
        `${describe(text)} has control characters, which no header has`,
        'write the value in one line',
      );
};
