{{/*
The rights of the controller, each with its reason. This file is their only home: the ClusterRole of an installation for
all namespaces and the Roles of one for some are made of it.
*/}}

{{/* Kinds that lie in namespaces. */}}
{{- define "chart-publisher.namespacedRules" -}}
# What users ask for: read when the controller starts, and watched for changes. None is ever read by itself.
- apiGroups: [chartpublisher.io]
  resources: [chartpublications]
  verbs: [list, watch]
# What came of it: one server-side-applied patch. The spec is never written, so there is no right for the resource itself.
- apiGroups: [chartpublisher.io]
  resources: [chartpublications/status]
  verbs: [patch]
# The record of what is published and proven. Applied server-side, which is `patch`, and `create` where there is none yet;
# read when a run begins; deleted where fewer objects hold the record than before.
- apiGroups: [chartpublisher.io]
  resources: [chartinventories]
  verbs: [get, create, patch, delete]
# The exposure of a registry: type, ports and addresses. Those of Ingress controllers are found among them too.
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
# Whether Pods behind a Service are ready, on which nodes, and with which addresses: the routes NodePort
# (externalTrafficPolicy Local) and Endpoint.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
# Ingresses that lead to a registry: the route Ingress.
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
# HTTPRoutes that lead to a registry: the route Ingress. Watched only where the cluster has them.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [list, watch]
# What lets HTTPRoutes of other namespaces lead to a registry.
- apiGroups: [gateway.networking.k8s.io]
  resources: [referencegrants]
  verbs: [list, watch]
# Credentials, CAs and client certificates, and charts that lie in Secrets (`source.secrets`). Read by the name that a publication of the same namespace gives, at each run;
# never listed and never watched, so that the controller holds none that it was not told of.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
# Charts that lie in ConfigMaps (`source.configMaps`). Read by the name that a publication of the same namespace gives, at each run;
# never listed and never watched. Without this right everything else works.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# HelmRepositories of Flux that publications name (`source.fluxRef`): their address, Secrets and options. Read by name, at each run;
# never listed and never watched. Without Flux, and without this right, everything else works.
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [helmrepositories]
  verbs: [get]
# The same for OCIRepositories of Flux.
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [ocirepositories]
  verbs: [get]
# Events of publications: `create` for a new one, `patch` to count one that comes again.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* Granted in `relay.namespaces` alone, and only with `relay.enabled`. */}}
{{- define "chart-publisher.relayRules" -}}
# The route Relay: a port of a registry's Pod, forwarded by the API server. `create` since Kubernetes 1.35, `get` before.
# It reaches every port of every Pod of the namespace, those on 127.0.0.1 too.
- apiGroups: [""]
  resources: [pods/portforward]
  verbs: [create, get]
{{- end }}

{{/* Granted in the release's own namespace. */}}
{{- define "chart-publisher.leaseRules" -}}
# The Lease by which replicas agree who of them works. A right to create cannot be limited to a name.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
# Looked at by those who stand by; renewed, and given back, by the one that works.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "chart-publisher.fullname" . }}]
  verbs: [get, update]
{{- end }}

{{/* Kinds that lie in no namespace. */}}
{{- define "chart-publisher.clusterRules" -}}
# InternalIPs of nodes that are Ready: the route NodePort.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
# Which controller serves an Ingress: where it is dialled, and which annotation lifts its limit for bodies.
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [list, watch]
# Addresses and listeners of the Gateways of HTTPRoutes. One of them lies in one namespace and serves many.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [list, watch]
# Whether the cluster has the Gateway API, and when it gets it: by the names of these CRDs, and no others.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames:
    - httproutes.gateway.networking.k8s.io
    - gateways.gateway.networking.k8s.io
    - referencegrants.gateway.networking.k8s.io
  verbs: [list, watch]
{{- end }}
