import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type PathReader, pathPieces, pathReaders, remainingReaders } from '@gatehouse/testing/path-readers';
import fc from 'fast-check';
import { prefixCovers } from './match-request.ts';
import { isUnnormalizedPath, unnormalizedParts, unnormalizedPath } from './unnormalized-path.ts';

/** Whether a client that is granted `/public` and nothing else is granted this; the readers then must agree. */
const isPublic = (path: string): boolean => prefixCovers('/public', path);

const leadsElsewhere = ({ read }: PathReader, path: string): boolean => {
  const found = read(path);
  return found !== undefined && !isPublic(found);
};

const resolvers =
  'nginx apache apache-2.4.50 go express express-windows whatwg-url python tomcat spring java-6 jetty iis nfkc drops-controls c-string';
const decoders = resolvers.replace(' apache ', ' ').replace(' whatwg-url', '').replace(' tomcat', '');

/** Paths below `/public`, and the readers for which each is none. */
const spellings: readonly (readonly [path: string, readers: string])[] = [
  ['/public/../admin', resolvers],
  ['/public/./../admin', resolvers],
  ['/public/%2e%2e/admin', resolvers],
  ['/public/.%2E/admin', resolvers],
  ['/public/..%2fadmin', decoders],
  ['/public/%2e%2e%2f%2e%2e%2fadmin', decoders],
  ['/public/..\\admin', 'express-windows whatwg-url spring java-6 iis nfkc'],
  ['/public/..%5cadmin', 'express-windows spring java-6 iis nfkc'],
  ['/public/x%5c..%5c..%5cadmin', 'express-windows spring java-6 iis nfkc'],
  ['/public/..;/admin', 'tomcat spring jetty nfkc'],
  ['/public/..;v=1/admin', 'tomcat spring jetty nfkc'],
  ['/public/%2e%2e;/admin', 'tomcat spring jetty nfkc'],
  ['/public/..%3b/admin', 'spring jetty nfkc'],
  ['/public/%252e%252e/admin', 'apache-2.4.50 iis nfkc'],
  ['/public/..%252fadmin', 'apache-2.4.50 iis nfkc'],
  ['/public/.%%32%65/admin', 'apache-2.4.50 iis nfkc'],
  ['/public/%%32%65%%32%65/admin', 'apache-2.4.50 iis nfkc'],
  ['/public/%u002e%u002e/admin', 'jetty iis'],
  ['/public/x%u2216..%u2216..%u2216admin', 'iis'],
  ['/public/%c0%ae%c0%ae/admin', 'java-6'],
  ['/public/..%c0%afadmin', 'java-6'],
  ['/public/..%C1%9Cadmin', 'java-6'],
  ['/public/%e0%80%ae%e0%80%ae/admin', 'java-6'],
  ['/public/%f0%80%80%ae./admin', 'java-6'],
  ['/public/%f8%80%80%80%ae./admin', 'java-6'],
  ['/public/%fc%80%80%80%80%ae./admin', 'java-6'],
  ['/public/.\t./admin', 'whatwg-url drops-controls'],
  ['/public/.%09./admin', 'drops-controls'],
  ['/public/%0d%0a../admin', 'drops-controls'],
  ['/public/%7f../admin', 'drops-controls'],
  ['/public/..%00/admin', 'drops-controls c-string'],
  ['/public/..%0a', 'drops-controls c-string'],
  ['/public/..%20/admin', 'iis'],
  ['/public/．．/admin', 'iis nfkc'],
  ['/public/%ef%bc%8e%ef%bc%8e/admin', 'iis nfkc'],
  ['/public/.%ef%bc%8e/admin', 'iis nfkc'],
  ['/public/%ef%b9%92./admin', 'nfkc'],
  ['/public/%E2%80%A4%e2%80%a4/admin', 'iis nfkc'],
  ['/public/%e2%80%a5/admin', 'nfkc'],
  ['/public/%ef%b8%b0/admin', 'nfkc'],
  ['/public/..%ef%bc%8fadmin', 'iis nfkc'],
  ['/public/x%ef%bc%8f..%ef%bc%8f..%ef%bc%8fadmin', 'iis nfkc'],
  ['/public/x%ef%bc%bc..%ef%bc%bc..%ef%bc%bcadmin', 'iis nfkc'],
  ['/public/x%ef%b9%a8..%ef%b9%a8..%ef%b9%a8admin', 'nfkc'],
  ['/public/x%e2%88%95..%e2%88%95..%e2%88%95admin', 'iis'],
  ['/public/x%e2%88%96..%e2%88%96..%e2%88%96admin', 'iis'],
  ['/public/x%e2%81%84..%e2%81%84..%e2%81%84admin', 'iis'],
  ['/public/..%ef%bc%9b/admin', 'nfkc'],
  ['/public/%ef%bc%852e%ef%bc%852e/admin', 'nfkc'],
  ['/public/%ef%b9%aa%ef%bc%92%ef%bd%85./admin', 'nfkc'],
  ['/public/%ef%bc%85%32%65./admin', 'nfkc'],
  ['/public/..././admin', 'strips-once'],
  ['/public/....//admin', 'strips-once'],
];

/** Paths that every reader reads as one, or that are too common to be refused for what few of them do. */
const ordinary: readonly string[] = [
  '/',
  '/api',
  '/api/',
  '/.well-known/x',
  '/a..b',
  '/...',
  '/api/.hidden',
  '/api/x%20y',
  '/caf%C3%A9',
  '/a~b!$&\'()*+,=:@-_"<>[]^`{|}',
  // Fullwidth punctuation in East Asian names: it is refused only where it makes a dot segment or an escape.
  '/%E7%AC%AC1%E7%AB%A0%EF%BC%8E%E6%A6%82%E8%A6%81',
  '/A%EF%BC%8FB',
  '/100%EF%BC%85%E3%81%A7',
  '/%e2%80%a6',
];

/** Paths that lead nowhere else by themselves, and that servers read differently all the same. */
const doubtful: readonly string[] = [
  '//admin',
  '/api//x',
  '/api;v=1',
  '/api/.',
  '/api/..',
  '/café',
  '/a b',
  '/50%',
];

suite('paths as applications read them', () => {
  test('whatever one of the readers reads elsewhere is told from what all read alike', () => {
    for (const [path, readers] of spellings) {
      const found = pathReaders.filter((reader) => leadsElsewhere(reader, path)).map(({ id }) => id);
      assert.equal(found.join(' '), readers, path);
      assert.ok(isPublic(path), path);
      assert.ok(isUnnormalizedPath(path), path);
    }
    assert.deepEqual([spellings.length, pathReaders.length], [53, 17]);
    for (const { id } of pathReaders) {
      assert.ok(
        spellings.some(([, readers]) => readers.split(' ').includes(id)),
        `${id} reads nothing elsewhere`,
      );
    }
  });

  test('ordinary paths are not told so, and doubtful ones are', () => {
    for (const path of ordinary) assert.equal(isUnnormalizedPath(path), false, path);
    for (const path of doubtful) assert.equal(isUnnormalizedPath(path), true, path);
    assert.deepEqual([ordinary.length, doubtful.length], [14, 8]);
  });

  test('each part of the guard is needed for one of the spellings', () => {
    for (const part of Object.keys(unnormalizedParts)) {
      const rest = Object.entries(unnormalizedParts).flatMap(([name, text]) => (name === part ? [] : [text]));
      const guard = new RegExp(rest.join('|').replaceAll('(?i:', '(?:'), 'i');
      assert.ok(
        spellings.some(([path]) => !guard.test(path)),
        part,
      );
    }
    assert.equal(Object.keys(unnormalizedParts).length, 12);
  });

  test('no path made of such pieces leads a reader elsewhere unseen', () => {
    const path = fc
      .array(fc.constantFrom(...pathPieces), { minLength: 1, maxLength: 12 })
      .map((pieces) => `/public/${pieces.join('')}/admin`);
    fc.assert(
      fc.property(
        path,
        (raw) => isUnnormalizedPath(raw) || !pathReaders.some((reader) => leadsElsewhere(reader, raw)),
      ),
      { numRuns: 5_000 },
    );
  });

  test('what is not covered is what is said not to be', () => {
    for (const reader of remainingReaders) {
      assert.ok(isPublic(reader.path) && leadsElsewhere(reader, reader.path), reader.id);
      assert.equal(isUnnormalizedPath(reader.path), false, `${reader.id}: ${reader.why}`);
    }
    assert.equal(remainingReaders.length, 4);
  });

  test('a long path takes no longer than its length', () => {
    const timeOf = (length: number): number => {
      const path = '/.a%EF%BC%8Fa..%ef%bc'.repeat(length / 21);
      const begun = performance.now();
      for (let round = 0; round < 20; round += 1) assert.equal(isUnnormalizedPath(path), false);
      return performance.now() - begun;
    };
    timeOf(64 * 1024);
    const [short, long] = [timeOf(64 * 1024), timeOf(256 * 1024)];
    assert.ok(long < 20 * short + 50, `${short} ms, ${long} ms`);
    assert.ok(unnormalizedPath.length < 512);
  });
});
