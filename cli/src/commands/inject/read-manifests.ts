import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { mostManifestBytes } from '@gatehouse/platform/kube/directory/manifest-documents';
import type { Surroundings } from '../../cli.ts';
import type { Manifest } from './inject-manifest.ts';

/** How long a server may take to send a manifest. */
const patienceMs = 30_000;

/** Reads what a command line names: files, folders with all manifests below them, URLs, `-` for stdin. In that order. */
export const readManifests = async (
  sources: readonly string[],
  surroundings: Surroundings,
): Promise<readonly Manifest[]> => {
  const manifests: Manifest[] = [];
  for (const source of sources) {
    if (source === '-') manifests.push({ origin: 'stdin', text: await readInput(surroundings) });
    else if (/^https?:\/\//.test(source)) manifests.push(await download(source, surroundings.interrupted));
    else manifests.push(...(await readPath(source, surroundings.workingDirectory)));
  }
  return manifests;
};

/** Never waits at a terminal: nobody would know for what. */
const readInput = async ({ input }: Surroundings): Promise<string> => {
  if (input === undefined || input.isTty)
    throw new GatehouseError(
      'invalid-argument',
      'nothing is piped to stdin: pipe a manifest (kubectl get deploy -o yaml | gatehouse inject -), or name a file',
    );
  return decode(await input.read(mostManifestBytes), 'stdin');
};

const decode = (bytes: Uint8Array, origin: string): string => {
  if (bytes.length > mostManifestBytes)
    throw new GatehouseError(
      'invalid-argument',
      `${origin} has more than ${mostManifestBytes / 1024 / 1024} MiB: inject it in parts`,
    );
  try {
    // A byte order mark is a part of what comes back.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new GatehouseError('invalid-argument', `${origin} is not UTF-8: save it as UTF-8`, { cause });
  }
};

const readPath = async (source: string, workingDirectory: string): Promise<readonly Manifest[]> => {
  const path = resolve(workingDirectory, source);
  try {
    if (!(await stat(path)).isDirectory())
      return [{ origin: source, text: decode(await readFile(path), source) }];
    const names = (await readdir(path, { recursive: true }))
      .filter((name) => /\.(?:ya?ml|json)$/.test(name) && !/(?:^|\/)\./.test(name))
      .sort();
    if (names.length === 0)
      throw new GatehouseError('invalid-argument', `${source} holds no manifests: *.yaml, *.yml or *.json`);
    return await Promise.all(
      names.map(async (name) => {
        const origin = join(source, name);
        return { origin, text: decode(await readFile(join(path, name)), origin) };
      }),
    );
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new GatehouseError('failed-precondition', `${source} cannot be read (${code}): correct its name`, {
      cause,
    });
  }
};

const download = async (url: string, interrupted: AbortSignal): Promise<Manifest> => {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(patienceMs)]);
  let answer: Response;
  try {
    answer = await fetch(url, { signal });
    if (answer.ok) return { origin: url, text: decode(await bodyOf(answer), url) };
  } catch (cause) {
    if (interrupted.aborted || cause instanceof GatehouseError) throw cause;
    const why = cause instanceof Error ? `${cause.cause ?? cause.message}` : String(cause);
    throw new GatehouseError('unavailable', `${url} cannot be fetched: ${why}`, { cause });
  }
  throw new GatehouseError('unavailable', `${url} answers ${answer.status}: correct the address`);
};

/** No more than is read, whatever the server goes on sending. */
const bodyOf = async (answer: Response): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > mostManifestBytes) break;
  }
  return Buffer.concat(chunks);
};
