/** What the rig calls its mesh: the names in every identity. */
export const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' } as const;
