import { linkerdNames } from '@gatehouse/manifests/values/linkerd-names';
import { allValues, highlyAvailable } from '@gatehouse/manifests/values/value-fields';
import { code, page, table } from './table.ts';

const printDefault = (path: string, fallback: unknown): string => {
  const usual = printValue(fallback);
  const high = Object.entries(highlyAvailable).find(([name]) => name === path)?.[1];
  return high === undefined ? usual : `${usual}; ${printValue(high)} with \`highAvailability\``;
};

const printValue = (value: unknown): string => {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return 'none';
  return code(String(value));
};

/** What `gatehouse install` can be told, from the table that it reads. */
export const valuesPage = (): string =>
  page(
    'Values',
    '`gatehouse install`, `gatehouse upgrade` and the Helm chart take these values: from YAML files (`-f`), whose objects are nested as the\n' +
      'paths say, and one by one (`--set replicas=3`). What is set one by one wins over files, and later files over earlier ones; `null`\n' +
      'takes a value back. A name that is not in the table is an error. `{identity,destination,policy}` values count for one service alone.',
    table(
      ['value', 'default', 'form', 'meaning'],
      allValues.map(({ path, field }) => [
        code(path),
        printDefault(path, field.fallback),
        field.form.form,
        field.sentence,
      ]),
    ),
    "## Linkerd's names",
    "These values of Linkerd's charts are called otherwise here; an error says so..",
    table(
      ['in Linkerd', 'here'],
      Object.entries(linkerdNames).map(([theirs, ours]) => [code(theirs), code(ours)]),
    ),
  );
