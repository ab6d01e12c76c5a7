import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { nearestWord } from '@gatehouse/core/nearest-word';
import { printProblem } from '@gatehouse/core/problem';
import {
  findingReasons,
  openPolicyOnFolder,
  type PolicyOnFolder,
} from '@gatehouse/dev/folder/policy-on-folder';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import { shortObject } from '../../print/policy-words.ts';
import type { Terminal } from '../../print/terminal.ts';
import { wrap } from '../../print/wrap.ts';
import { readManifests } from '../inject/read-manifests.ts';
import type { LintOptions } from './lint.ts';

type PolicyItem = Awaited<ReturnType<PolicyOnFolder['policies']>>['items'][number];

/** A manifest that nobody can read, and why. */
interface Unread {
  readonly origin: string;
  readonly message: string;
}

/** `gatehouse lint`. */
export const lintManifests = async (
  sources: readonly string[],
  options: LintOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const ignored = readReasons(options.ignore);
  const { items, unread } = await judged(sources, options, surroundings);
  const told = items
    .map((item) => ({ ...item, findings: item.findings.filter(({ reason }) => !ignored.has(reason)) }))
    .filter(({ findings }) => findings.length > 0);
  const { terminal } = surroundings;
  const { output } = options;
  if (output === 'json' || output === 'yaml')
    terminal.out(printShown(output, { value: { items: told, unread }, heads: [], rows: [] }));
  else say({ judged: items.length, told, unread }, terminal);
  return told.length + unread.length === 0 ? exitCode.ok : exitCode.failed;
};

const readReasons = (words: readonly string[]): ReadonlySet<string> => {
  for (const word of words) {
    if (findingReasons.includes(word)) continue;
    const near = nearestWord(word, findingReasons);
    const hint = near === undefined ? 'docs/reference/findings.md lists all' : `did you mean ${near}?`;
    throw new GatehouseError('invalid-argument', `--ignore ${word} is not a reason of findings: ${hint}`);
  }
  return new Set(words);
};

/** By the very code that the policy service runs on a folder; all manifests are read as one. */
const judged = async (
  sources: readonly string[],
  { namespace }: LintOptions,
  surroundings: Surroundings,
): Promise<{ readonly items: readonly PolicyItem[]; readonly unread: readonly Unread[] }> => {
  const manifests = await readManifests(sources, surroundings);
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-lint-'));
  try {
    const origins = new Map<string, string>();
    for (const [at, { origin, text }] of manifests.entries()) {
      const name = `${at}.yaml`.padStart(12, '0');
      origins.set(name, origin);
      await writeFile(join(path, name), text);
    }
    const { env, interrupted: signal } = surroundings;
    await using folder = await openPolicyOnFolder({ path, env, signal });
    const { items } = await folder.policies({ namespace });
    const unread = folder.unreadable().map(({ path: name, problem }) => ({
      origin: origins.get(name) ?? name,
      message: printProblem(problem),
    }));
    return { items, unread };
  } finally {
    await rm(path, { recursive: true, force: true });
  }
};

interface Said {
  readonly judged: number;
  readonly told: readonly PolicyItem[];
  readonly unread: readonly Unread[];
}

const say = ({ judged, told, unread }: Said, { out, err, paint, columns }: Terminal): void => {
  for (const { origin, message } of unread)
    out(wrap(`${paint('bold', origin)} cannot be read: ${message}`, columns, '  '));
  for (const { object, state, findings } of told) {
    out(`${paint('bold', `${object.namespace}/${shortObject(object)}`)}  ${state}`);
    for (const { reason, field, message, fix } of findings) {
      const where = field === null || message.startsWith(field) ? '' : ` ${field}`;
      out(wrap(`  ${paint('red', reason)}${where}: ${message}`, columns, '    '));
      if (!message.includes(fix)) out(wrap(`    ${fix}`, columns, '    '));
    }
  }
  const count = told.length + unread.length;
  err(
    count === 0
      ? `${judged} policy objects, and nothing is found`
      : `${judged} policy objects, of which ${told.length} do not do all that they say${unread.length === 0 ? '' : `; ${unread.length} manifests cannot be read`}`,
  );
};
