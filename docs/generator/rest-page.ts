import type { OpenApi, Operation, Told } from './running-services.ts';
import { code, page, table } from './table.ts';

const operationsOf = ({
  paths,
}: OpenApi): readonly { readonly name: string; readonly operation: Operation }[] =>
  Object.entries(paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    )
    .filter(({ name }) => !name.startsWith('HEAD '));

const describe = ({ name, operation }: ReturnType<typeof operationsOf>[number]): string[] => [
  `### ${code(name)}`,
  `${operation.summary ?? ''}.`,
  ...(operation.description === undefined ? [] : [operation.description]),
  ...(operation.parameters === undefined
    ? []
    : [
        table(
          ['parameter', 'in', 'type', 'meaning'],
          operation.parameters.map((each) => [
            code(each.name),
            each.required ? `${each.in}, required` : each.in,
            // A bar would end the cell.
            each.schema.enum?.map(code).join(', ') ?? each.schema.type ?? '',
            each.description ?? '',
          ]),
        ),
      ]),
];

export const restPage = (told: readonly Told[]): string => {
  const common = operationsOf(told[0]?.openapi ?? { paths: {} }).filter(({ name }) =>
    told.every(({ openapi }) => operationsOf(openapi).some((other) => other.name === name)),
  );
  const isCommon = (name: string): boolean => common.some((other) => other.name === name);
  return page(
    'REST API',
    'Every service serves its own on its admin port, described by `/v1/openapi.json` (OpenAPI 3.1). Every path under `/v1` answers 401\n' +
      'without an accepted `Authorization: Bearer TOKEN`, and 403 without permission; in dev mode the token is in `STATE/admin-token` and\n' +
      'may do everything. [The admin API](../admin-api.md) says how callers are admitted. The port speaks TLS with the\n' +
      "service's leaf; over plain HTTP `/v1` is served on loopback only. Lists page with `limit` and `continue`, errors are\n" +
      '[problem details](errors.md). Open to everybody are `/live`, `/ready` (503 with the reasons until ready) and `/metrics`.',
    '## Every service',
    ...common.flatMap(describe),
    ...told.flatMap(({ service, openapi }) => [
      `## ${service}`,
      ...operationsOf(openapi)
        .filter(({ name }) => !isCommon(name))
        .flatMap(describe),
    ]),
  );
};
