import { hash } from 'node:crypto';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { IssuanceRecord } from '../../core/issued/issuance-record.ts';
import { IssuanceItem, printItem, readItem } from '../rest/issuance-item.ts';

/** What a line of the issuance log says. */
export type IssuanceLine =
  /** First in every file. */
  | { readonly kind: 'begin'; readonly at: number }
  /** Before a certificate is signed. */
  | { readonly kind: 'intent'; readonly record: IssuanceRecord }
  /** After it was signed. */
  | { readonly kind: 'signed'; readonly serial: string; readonly leafSha256: string }
  /** The file can be written again; so many certificates were refused meanwhile. Times in milliseconds since the epoch. */
  | {
      readonly kind: 'resumed';
      readonly at: number;
      readonly failedSince: number;
      readonly refused: number;
      readonly why: string;
    };

/** A line as found in a file, with the number it has there. */
export interface NumberedLine {
  readonly number: number;
  readonly line: IssuanceLine;
}

const format = 'gatehouse-issuance-log';
const version = 1;

const head = { n: Type.Integer({ minimum: 0 }) };
const { leafSha256: _, ...intended } = IssuanceItem.properties;
const Line = Type.Union([
  Type.Object({
    ...head,
    kind: Type.Literal('begin'),
    format: Type.Literal(format),
    version: Type.Literal(version),
    at: Type.String({ format: 'date-time' }),
  }),
  Type.Object({ ...head, kind: Type.Literal('intent'), ...intended }),
  Type.Object({ ...head, kind: Type.Literal('signed'), serial: Type.String(), leafSha256: Type.String() }),
  Type.Object({
    ...head,
    kind: Type.Literal('resumed'),
    at: Type.String({ format: 'date-time' }),
    failedSince: Type.String({ format: 'date-time' }),
    refused: Type.Integer({ minimum: 0 }),
    why: Type.String(),
  }),
]);
const validator = Compile(Line);

/**
 * One line of JSON with its end. Its last member is a checksum of all before it, without which a line that a crash tore or
 * an editor changed could pass for another: one hexadecimal digit more or less is still JSON. It is not a signature: who can
 * write the file can write the checksum.
 */
export const printLine = ({ number, line }: NumberedLine): string => {
  const text = JSON.stringify({ n: number, ...printFields(line) }).slice(0, -1);
  return `${text},"sum":"${sumOf(text)}"}\n`;
};

const printFields = (line: IssuanceLine): object => {
  switch (line.kind) {
    case 'begin':
      return { kind: 'begin', format, version, at: timeOf(line.at) };
    case 'intent': {
      const { leafSha256: _, ...item } = printItem(line.record);
      return { kind: 'intent', ...item };
    }
    case 'signed':
      return line;
    case 'resumed':
      return { ...line, at: timeOf(line.at), failedSince: timeOf(line.failedSince) };
  }
};

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** 64 bits of SHA-256: chance and bit rot do not find another text with the same. */
const sumOf = (text: string | Uint8Array): string => hash('sha256', text).slice(0, sumDigits);

const sumDigits = 16;
const sumLength = ',"sum":""}'.length + sumDigits;

/** Whether the bytes, without a line end, are as somebody wrote them with their checksum. */
export const isWhole = (bytes: Uint8Array): boolean => {
  const text = bytes.subarray(0, Math.max(0, bytes.length - sumLength));
  const end = Buffer.from(bytes.subarray(text.length)).toString('latin1');
  return text.length > 0 && end === `,"sum":"${sumOf(text)}"}`;
};

/** What a whole line says; `unknown` for one of a version that is not ours. */
export const readLine = (bytes: Uint8Array): NumberedLine | 'unknown' => {
  const found = parseJson(bytes);
  if (!validator.Check(found)) return 'unknown';
  return { number: found.n, line: lineOf(found) };
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};

const lineOf = (found: Type.Static<typeof Line>): IssuanceLine => {
  switch (found.kind) {
    case 'begin':
      return { kind: 'begin', at: Date.parse(found.at) };
    case 'intent':
      return { kind: 'intent', record: readItem({ ...found, leafSha256: null }) };
    case 'signed':
      return { kind: 'signed', serial: found.serial, leafSha256: found.leafSha256 };
    case 'resumed':
      return {
        kind: 'resumed',
        at: Date.parse(found.at),
        failedSince: Date.parse(found.failedSince),
        refused: found.refused,
        why: found.why,
      };
  }
};
