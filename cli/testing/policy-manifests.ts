/** A folder in which everything occurs that policy answers about: Servers, routes, rules, an open default, what is broken. */
export const policyManifests = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: v1
kind: Namespace
metadata:
  name: open
  annotations: { linkerd.io/inject: enabled, config.linkerd.io/default-inbound-policy: all-unauthenticated }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: frontend, namespace: demo }
spec:
  replicas: 2
  selector: { matchLabels: { app: frontend } }
  template: { metadata: { labels: { app: frontend } }, spec: { containers: [ { name: app } ] } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: backend, namespace: demo }
spec:
  replicas: 3
  selector: { matchLabels: { app: backend } }
  template:
    metadata: { labels: { app: backend } }
    spec:
      serviceAccountName: backend
      containers: [ { name: app, ports: [ { name: http, containerPort: 8080 }, { name: admin, containerPort: 9000 } ] } ]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: orders, namespace: demo }
spec:
  selector: { matchLabels: { app: orders } }
  template:
    metadata: { labels: { app: orders } }
    spec: { containers: [ { name: app, ports: [ { name: http, containerPort: 8080 }, { name: grpc, containerPort: 9000 } ] } ] }
---
apiVersion: v1
kind: Pod
metadata: { name: agent, namespace: demo, labels: { app: backend } }
spec: { hostNetwork: true, containers: [ { name: app } ] }
---
apiVersion: v1
kind: Pod
metadata: { name: batch, namespace: demo, annotations: { linkerd.io/inject: disabled } }
spec: { containers: [ { name: app } ] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: open, annotations: { config.linkerd.io/skip-inbound-ports: '9443' } }
spec: { containers: [ { name: app, ports: [ { name: http, containerPort: 8080 } ] } ] }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: frontend-can-talk-to-backend, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: http } ]
  sources: [ { podSelector: { matchLabels: { app: frontend } } } ]
---
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: admins-read, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: admin } ]
  sources: [ { serviceAccounts: [ { name: admin } ] } ]
  rules: [ { methods: [ GET ], paths: [ { type: PathPrefix, value: /admin } ] } ]
---
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: orders-http, namespace: demo }
spec: { podSelector: { matchLabels: { app: orders } }, port: http, proxyProtocol: HTTP/1 }
---
apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: orders-api, namespace: demo }
spec:
  parentRefs: [ { group: policy.linkerd.io, kind: Server, name: orders-http } ]
  rules: [ { matches: [ { path: { type: PathPrefix, value: /orders }, method: GET } ] } ]
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: { name: backend-reads-orders, namespace: demo }
spec:
  targetRef: { group: policy.linkerd.io, kind: HTTPRoute, name: orders-api }
  requiredAuthenticationRefs: [ { kind: ServiceAccount, name: backend } ]
---
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: grpc-callers, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: orders } } }
  ports: [ { port: grpc } ]
  sources: []
  sorces: [ { podSelector: {} } ]
`;
