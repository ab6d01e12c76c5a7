import { nodeStory } from './node-story.ts';

/** `npm run test:docs`: docs/getting-started.md on the disposable cluster of KUBECONFIG. */
nodeStory({ more: false });
