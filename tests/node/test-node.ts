import { nodeStory } from './node-story.ts';

/** `npm run test:node`: the tutorial, restarts under load, new pods, the way back, on the disposable cluster of KUBECONFIG. */
nodeStory({ more: true });
