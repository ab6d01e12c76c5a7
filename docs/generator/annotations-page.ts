import { proxyAnnotations } from '@gatehouse/core/injection/annotation-table';
import { injectValues } from '@gatehouse/core/mesh/injection';
import { injectAnnotation } from '@gatehouse/core/resources/annotations';
import { code, page, table } from './table.ts';

/** The annotations by which a pod or its namespace configures proxies, from the table that injection reads. */
export const annotationsPage = (): string =>
  page(
    'Annotations of injected pods',
    "On a pod template, or on a namespace for all its pods; the pod's own wins. They count when a pod is created. A value of another form is\n" +
      'an error: `gatehouse inject` prints nothing, the webhook refuses the pod. [injection.md](../injection.md) says what is injected, and\n' +
      '[values.md](values.md) the defaults, which are values of the installation.',
    table(
      ['annotation', 'form', 'overrides', 'meaning'],
      [
        [
          code(injectAnnotation),
          injectValues.map(code).join(', '),
          '',
          'Whether the pod gets a proxy; `ingress`: one that routes by the host that a request names.',
        ],
        ...proxyAnnotations().map(({ name, form, sentence, path }) => [
          code(name),
          form,
          path === '' ? '' : code(path),
          sentence,
        ]),
      ],
    ),
  );
