import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

const podsPerApp = 50;

/**
 * A pod as an API server tells it once it runs in a mesh: with the injected containers, statuses, volumes and managed
 * fields, about 12 kB of JSON. `turn` changes what a kubelet's status update changes.
 */
export const meshedPod = (index: number, turn = 0): WireObject => {
  const app = `app-${Math.floor(index / podsPerApp)}`;
  const name = `${app}-5d9f8b7c6d-${index.toString(36).padStart(5, '0')}`;
  const started = '2026-01-01T00:00:00Z';
  const ip = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${app}-5d9f8b7c6d-`,
      namespace: `ns-${index % 20}`,
      uid: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
      creationTimestamp: started,
      labels: {
        app,
        'app.kubernetes.io/name': app,
        'app.kubernetes.io/part-of': 'shop',
        'app.kubernetes.io/version': '1.14.2',
        'pod-template-hash': '5d9f8b7c6d',
        'linkerd.io/control-plane-ns': 'gatehouse',
        'linkerd.io/proxy-deployment': app,
        'linkerd.io/workload-ns': `ns-${index % 20}`,
      },
      annotations: {
        'linkerd.io/inject': 'enabled',
        'linkerd.io/created-by': 'gatehouse',
        'linkerd.io/proxy-version': 'v2.360.0',
        'prometheus.io/scrape': 'true',
        'kubectl.kubernetes.io/restartedAt': started,
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-5d9f8b7c6d`,
          uid: `11111111-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: ['kube-controller-manager', 'kubelet'].map((manager) => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: started,
        fieldsType: 'FieldsV1',
        fieldsV1: managed(manager),
      })),
    },
    spec: {
      serviceAccountName: app,
      serviceAccount: app,
      nodeName: `node-${index % 200}`,
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      volumes: [
        { name: 'linkerd-identity-end-entity', emptyDir: { medium: 'Memory' } },
        {
          name: 'linkerd-identity-token',
          projected: {
            defaultMode: 420,
            sources: [
              {
                serviceAccountToken: {
                  audience: 'identity.l5d.io',
                  expirationSeconds: 86400,
                  path: 'linkerd-identity-token',
                },
              },
            ],
          },
        },
      ],
      initContainers: [
        container('linkerd-init', [], ['--incoming-proxy-port', '4143', '--outgoing-proxy-port', '4140']),
      ],
      containers: [
        {
          ...container(
            'app',
            [
              { name: 'http', containerPort: 8080, protocol: 'TCP' },
              { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
            ],
            [],
          ),
          readinessProbe: { httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' }, periodSeconds: 10 },
          livenessProbe: { httpGet: { path: '/live', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
        },
        container(
          'linkerd-proxy',
          [
            { name: 'linkerd-proxy', containerPort: 4143, protocol: 'TCP' },
            { name: 'linkerd-admin', containerPort: 4191, protocol: 'TCP' },
          ],
          [],
        ),
      ],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      hostIP: `192.168.0.${index % 200}`,
      hostIPs: [{ ip: `192.168.0.${index % 200}` }],
      startTime: started,
      qosClass: 'Burstable',
      conditions: [
        'PodReadyToStartContainers',
        'Initialized',
        'Ready',
        'ContainersReady',
        'PodScheduled',
      ].map((type) => ({
        type,
        status: type === 'Ready' && turn % 2 === 1 ? 'False' : 'True',
        lastProbeTime: null,
        lastTransitionTime: started,
      })),
      containerStatuses: ['app', 'linkerd-proxy'].map((each) => ({
        name: each,
        ready: true,
        started: true,
        restartCount: turn,
        image: `registry.local/${each}:1.14.2`,
        imageID: `registry.local/${each}@sha256:${'ab'.repeat(32)}`,
        containerID: `containerd://${index.toString(16).padStart(64, '0')}`,
        state: { running: { startedAt: started } },
        lastState: {},
      })),
    },
  };
};

const container = (name: string, ports: readonly WireObject[], args: readonly string[]): WireObject => ({
  name,
  image: `registry.local/${name}:1.14.2`,
  imagePullPolicy: 'IfNotPresent',
  args,
  ports,
  env: Array.from({ length: name === 'linkerd-proxy' ? 40 : 4 }, (_, index) => ({
    name: `${name.toUpperCase().replaceAll('-', '_')}_SETTING_${index}`,
    value: `value-${index}.gatehouse.svc.cluster.local.:8080`,
  })),
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '256Mi' } },
  volumeMounts: [
    { mountPath: '/var/run/linkerd/identity/end-entity', name: 'linkerd-identity-end-entity' },
    { mountPath: '/var/run/secrets/tokens', name: 'linkerd-identity-token' },
  ],
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 2102,
  },
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'FallbackToLogsOnError',
});

const managed = (manager: string): WireObject =>
  Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [
      `f:field-${index}`,
      {
        [`k:{"type":"${manager}-${index}"}`]: {
          '.': {},
          'f:status': {},
          'f:type': {},
          'f:lastProbeTime': {},
        },
      },
    ]),
  );
