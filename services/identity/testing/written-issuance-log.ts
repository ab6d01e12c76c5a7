import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLog } from '@gatehouse/platform/log/log';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { FileIssuanceLog, type FileIssuanceLogOptions } from '../src/ports/issued/file-issuance-log.ts';
import { anIntent, leafHashOf } from './issuance-builder.ts';

export const aPath = async (test: TestContext): Promise<string> =>
  join(await temporaryFolder(test), 'issuance.log');

export const opened = async (
  test: TestContext,
  path: string,
  more: Partial<FileIssuanceLogOptions> = {},
): Promise<FileIssuanceLog> => {
  const log = await FileIssuanceLog.open({ path, log: silentLog, lingerMs: 3_600_000, ...more });
  let closed: Promise<void> | undefined;
  const close = log.close.bind(log);
  log.close = () => (closed ??= close());
  test.after(() => log.close());
  return log;
};

export const serials = (log: FileIssuanceLog): readonly string[] =>
  [...log.find({})].map(({ serial }) => serial);

interface Line {
  readonly n: number;
  readonly kind: string;
  readonly serial?: string;
  readonly sum: string;
}

export const linesOf = (text: string): readonly Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

export const lines = async (path: string): Promise<readonly Line[]> => linesOf(await readFile(path, 'utf8'));

export const issue = async (log: FileIssuanceLog, ...names: readonly string[]): Promise<void> => {
  for (const serial of names) {
    await log.intend(anIntent(serial));
    log.complete(serial, leafHashOf(serial));
  }
};

/** A file with three certificates, whole. */
export const written = async (test: TestContext): Promise<string> => {
  const path = await aPath(test);
  const log = await opened(test, path);
  await issue(log, '01', '02', '03');
  await log.close();
  return path;
};
