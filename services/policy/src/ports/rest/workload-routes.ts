import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { namespaceQuery, pageOf, pageQuery } from '@gatehouse/platform/http/page';
import { type Asking, Permitted } from '@gatehouse/platform/http/permitted';
import { Type } from 'typebox';
import { pageOfWorkloads } from './page-of-workloads.ts';
import { PortReport, WorkloadItem, WorkloadReport, workloadKinds } from './rest-workload.ts';
import { type KnownWorkloads, WorkloadAnswers, type WorkloadNamed } from './workload-answers.ts';

const access = { reads: 'workloads' } as const;

const nameParams = { namespace: Type.String(), workload: Type.String({ description: 'Its name' }) };

const kind = Type.Enum(workloadKinds, { description: 'Whose name it is. Default: Pod', default: 'Pod' });

const reportQuery = Type.Object({
  kind: Type.Optional(kind),
  include: Type.Optional(
    Type.Enum(['audit'] as const, {
      description: 'Also what would be in force if Audit policies were enforced',
    }),
  ),
});

const named = (
  { namespace, workload }: { readonly namespace: string; readonly workload: string },
  { kind = 'Pod' }: { readonly kind?: WorkloadNamed['kind'] },
): WorkloadNamed => ({ kind, namespace, name: workload });

const permittedNamespaces = (request: Asking) => new Permitted<string>(request, (namespace) => namespace);

/** What is in force on workloads, by workload and by port. */
export const workloadRoutes =
  (known: KnownWorkloads, settled: () => void) =>
  (app: AdminApp): void => {
    app.get(
      '/v1/workloads',
      {
        config: { access },
        schema: {
          summary:
            'Every pod and ExternalWorkload: meshed or not and why, its ports, what governs each, and which clients it admits',
          querystring: Type.Object({
            ...pageQuery,
            ...namespaceQuery,
            kind: Type.Optional(
              Type.Enum(workloadKinds, { description: 'Only workloads of this kind. Default: both' }),
            ),
            owner: Type.Optional(
              Type.String({ description: 'Only pods of this owner, such as `Deployment/backend`' }),
            ),
            selector: Type.Optional(
              Type.String({
                description:
                  'Only workloads with these labels, as kubectl writes it: `app=web,tier in (a,b),!old`',
              }),
            ),
          }),
          response: { 200: pageOf(WorkloadItem) },
        },
      },
      async (request) => {
        settled();
        const answers = new WorkloadAnswers(known, request.signal);
        const page = await pageOfWorkloads(known.index, permittedNamespaces(request), request.query);
        const items = [];
        for (const workload of page.items) items.push(await answers.item(workload));
        return { ...page, items };
      },
    );

    app.get(
      '/v1/workloads/:namespace/:workload',
      {
        config: { access },
        schema: {
          summary: 'One workload, with all that is in force on each of its ports',
          params: Type.Object(nameParams),
          querystring: reportQuery,
          response: { 200: WorkloadReport },
        },
      },
      async ({ params, query, signal }) => {
        settled();
        const answers = new WorkloadAnswers(known, signal, query.include);
        return answers.report(answers.workload(named(params, query)));
      },
    );

    app.get(
      '/v1/workloads/:namespace/:workload/ports/:port',
      {
        config: { access },
        schema: {
          summary:
            'What is in force on a port of a workload, what its proxy is told, and which object did that',
          params: Type.Object({
            ...nameParams,
            port: Type.String({ description: 'A number, or the name of a declared port' }),
          }),
          querystring: reportQuery,
          response: { 200: PortReport },
        },
      },
      async ({ params, query, signal }) => {
        settled();
        const answers = new WorkloadAnswers(known, signal, query.include);
        return answers.port(answers.workload(named(params, query)), params.port);
      },
    );
  };
