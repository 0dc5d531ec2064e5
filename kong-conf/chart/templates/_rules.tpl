{{/* The rules for the namespaces that kube-sync watches. */}}
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
  # kube-sync watches the metadata of Secrets, and reads the content of those to which its
  # objects refer. RBAC has no such distinction: an account that may list Secrets may read
  # them. To restrict that, watch single namespaces.
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [configmaps]
  # As for Secrets, kube-sync reads only the content of those to which objects refer.
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

{{/* The rules for cluster-scoped objects. */}}
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
  # Each of them is watched by its name.
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [list, watch]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  # kube-sync watches custom kinds as soon as they are defined.
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

{{/* The subject of all bindings. */}}
{{- define "kube-sync.subjects" -}}
- kind: ServiceAccount
  name: {{ include "kube-sync.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The binding of a role: (dict "root" $ "kind" Role|ClusterRole "name" … "namespace" …). */}}
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
