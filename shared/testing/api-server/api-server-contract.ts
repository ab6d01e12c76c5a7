import { after, before, suite } from 'node:test';
import { applyStories } from './apply-stories.ts';
import { aClient } from './client.ts';
import type { OpenedServer, TellStory } from './contract-story.ts';
import { eventStories } from './event-stories.ts';
import { questionStories } from './question-stories.ts';
import { readStories } from './read-stories.ts';
import { schemaStories } from './schema-stories.ts';
import { topCrd } from './top-crd.ts';
import { writeStories } from './write-stories.ts';

/** How an API server behaves, as far as Gatehouse relies on it: run on the fake, and on the real one. */
export const apiServerContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<OpenedServer> },
): void => {
  suite(`${name} behaves as an API server`, { skip }, () => {
    let server: OpenedServer;
    let count = 0;
    before(async () => {
      server = await open();
      const { request } = aClient(server);
      await request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', topCrd);
      // The real server takes a moment until a new CRD is served.
      while ((await request('GET', '/apis/ex.io/v1/tops')).code !== 200);
    });
    after(() => server.stop());

    const story: TellStory = async (tell) => {
      const client = aClient(server);
      count += 1;
      const namespace = `story-${count}`;
      await client.request('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { story: namespace } },
      });
      await tell({
        ...client,
        configMaps: `/api/v1/namespaces/${namespace}/configmaps`,
        events: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
        leases: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
        pods: `/api/v1/namespaces/${namespace}/pods`,
        tops: `/apis/ex.io/v1/namespaces/${namespace}/tops`,
      });
    };

    for (const stories of [
      readStories,
      writeStories,
      applyStories,
      schemaStories,
      questionStories,
      eventStories,
    ])
      stories(story);
  });
};
