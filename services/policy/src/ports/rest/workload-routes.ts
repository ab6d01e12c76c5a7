import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { namespaceQuery, pageOf, pageQuery } from '@gatehouse/platform/http/page';
import { type Asking, Permitted } from '@gatehouse/platform/http/permitted';
import { Type } from 'typebox';
import { pageOfPods } from './page-of-pods.ts';
import { PortReport, WorkloadItem, WorkloadReport } from './rest-workload.ts';
import { type KnownWorkloads, WorkloadAnswers } from './workload-answers.ts';

const access = { reads: 'workloads' } as const;

const podParams = { namespace: Type.String(), pod: Type.String() };

const permittedNamespaces = (request: Asking) => new Permitted<string>(request, (namespace) => namespace);

/** What is in force on pods, by pod and by port. */
export const workloadRoutes =
  (known: KnownWorkloads, settled: () => void) =>
  (app: AdminApp): void => {
    app.get(
      '/v1/workloads',
      {
        config: { access },
        schema: {
          summary: 'Every pod: meshed or not and why, its ports, what governs each, and whom it admits',
          querystring: Type.Object({
            ...pageQuery,
            ...namespaceQuery,
            owner: Type.Optional(
              Type.String({ description: 'Only pods of this owner, such as `Deployment/backend`' }),
            ),
          }),
          response: { 200: pageOf(WorkloadItem) },
        },
      },
      async (request) => {
        settled();
        const answers = new WorkloadAnswers(known, request.signal);
        const page = await pageOfPods(known.index, permittedNamespaces(request), request.query);
        const items = [];
        for (const pod of page.items) items.push(await answers.item(pod));
        return { ...page, items };
      },
    );

    app.get(
      '/v1/workloads/:namespace/:pod',
      {
        config: { access },
        schema: {
          summary: 'One pod, with all that is in force on each of its ports',
          params: Type.Object(podParams),
          response: { 200: WorkloadReport },
        },
      },
      async ({ params, signal }) => {
        settled();
        const answers = new WorkloadAnswers(known, signal);
        return answers.report(answers.pod(params.namespace, params.pod));
      },
    );

    app.get(
      '/v1/workloads/:namespace/:pod/ports/:port',
      {
        config: { access },
        schema: {
          summary: 'What is in force on a port of a pod, what its proxy is told, and which object did that',
          params: Type.Object({
            ...podParams,
            port: Type.String({ description: 'A number, or the name of a container port' }),
          }),
          response: { 200: PortReport },
        },
      },
      async ({ params, signal }) => {
        settled();
        const answers = new WorkloadAnswers(known, signal);
        return answers.port(answers.pod(params.namespace, params.pod), params.port);
      },
    );
  };
