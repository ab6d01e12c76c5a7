/**
 * All that we use of client-node, which costs 85 MB when it is loaded as a whole (decision 5). Named here and not taken from an
 * `import()` of the library, so that a bundle holds this part alone (deploy/pack): 2 MB of 17.
 */
export { KubeConfig } from '@kubernetes/client-node';
