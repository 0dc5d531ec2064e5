{{/* What kube-sync may do in the namespaces that it watches. */}}
{{- define "kube-sync.rules" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
- apiGroups: [configuration.konghq.com]
  resources: [kongplugins, kongconsumers, kongconsumergroups, kongcustomentities]
  verbs: [list, watch]
- apiGroups: [configuration.konghq.com]
  resources: [kongplugins/status, kongconsumers/status, kongconsumergroups/status, kongcustomentities/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [secrets]
  # kube-sync watches the metadata of Secrets and gets the content of those that an
  # object it serves refers to. RBAC knows no such difference: an account that may list them
  # may read them. If that is too much, watch single namespaces.
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [configmaps]
  # As for Secrets: the metadata of all, and the content of those that are referred to.
  verbs: [get, list, watch]
- apiGroups: [configuration.konghq.com]
  resources: [kongupstreampolicies, kongingresses, tcpingresses, udpingresses, ingressclassparameterses]
  verbs: [list, watch]
- apiGroups: [configuration.konghq.com]
  resources: [kongupstreampolicies/status, tcpingresses/status, udpingresses/status]
  verbs: [patch]
- apiGroups: [incubator.ingress-controller.konghq.com]
  resources: [kongservicefacades]
  verbs: [list, watch]
- apiGroups: [incubator.ingress-controller.konghq.com]
  resources: [kongservicefacades/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways, listenersets, httproutes, grpcroutes, tlsroutes, tcproutes, udproutes, referencegrants, backendtlspolicies]
  verbs: [list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways/status, listenersets/status, httproutes/status, grpcroutes/status, tlsroutes/status, tcproutes/status, udproutes/status, backendtlspolicies/status]
  verbs: [patch]
- apiGroups: [gateway.networking.x-k8s.io]
  resources: [xlistenersets]
  verbs: [list, watch]
- apiGroups: [gateway.networking.x-k8s.io]
  resources: [xlistenersets/status]
  verbs: [patch]
{{- end }}

{{/* What is in no namespace. */}}
{{- define "kube-sync.clusterRules" -}}
{{- $watched := (include "kube-sync.watched" . | fromJson).all -}}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [gatewayclasses]
  verbs: [list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [gatewayclasses/status]
  verbs: [patch]
- apiGroups: [configuration.konghq.com]
  resources: [kongclusterplugins, kongvaults, konglicenses]
  verbs: [list, watch]
- apiGroups: [configuration.konghq.com]
  resources: [kongclusterplugins/status, kongvaults/status, konglicenses/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [namespaces]
  {{- with $watched }}
  # Each is watched by itself, so its name is enough.
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [list, watch]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  # Kinds that are defined later are watched from then on.
  verbs: [list, watch]
{{- end }}

{{- define "kube-sync.gatewayServicesRules" -}}
- apiGroups: [""]
  resources: [services]
  verbs: [create, patch, delete]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [create, patch, delete]
{{- end }}

{{/* The one subject of all bindings. */}}
{{- define "kube-sync.subjects" -}}
- kind: ServiceAccount
  name: {{ include "kube-sync.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The binding for a role: (dict "root" $ "kind" Role|ClusterRole "name" … "namespace" …). */}}
{{- define "kube-sync.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "kube-sync.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
{{ include "kube-sync.subjects" .root }}
{{- end }}
