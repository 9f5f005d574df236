{{/* Labels of one service. */}}
{{- define "voltwell.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: voltwell
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Environment of one service: common, own, database, Redis, identity. */}}
{{- define "voltwell.env" -}}
{{- $issuer := .name | replace "-" "_" -}}
- {name: VOLTWELL_LISTEN, value: "0.0.0.0"}
- {name: VOLTWELL_IDENTITY_KEY_FILE, value: "/etc/voltwell/keys/{{ $issuer }}.key"}
- {name: VOLTWELL_IDENTITY_TRUST_DIR, value: /etc/voltwell/trust}
{{- if .service.ports.grpc }}
- {name: VOLTWELL_PORT, value: "{{ .service.ports.grpc }}"}
{{- end }}
{{- if .service.ports.http }}
- {name: VOLTWELL_PORT, value: "{{ .service.ports.http }}"}
{{- end }}
{{- if .service.ports.collectors }}
- {name: VOLTWELL_COLLECTOR_PORT, value: "{{ .service.ports.collectors }}"}
{{- end }}
{{- with index .service.ports "collectors-tls" }}
- {name: VOLTWELL_COLLECTOR_TLS_PORT, value: "{{ . }}"}
{{- if $.root.Values.collectorTls.secret }}
- {name: VOLTWELL_TLS_CERTIFICATE_FILE, value: /etc/voltwell/collector-tls/tls.crt}
- {name: VOLTWELL_TLS_KEY_FILE, value: /etc/voltwell/collector-tls/tls.key}
{{- if $.root.Values.collectorTls.clientCa }}
- {name: VOLTWELL_TLS_CLIENT_CA_FILE, value: /etc/voltwell/collector-ca/ca.crt}
{{- end }}
{{- end }}
{{- end }}
- {name: VOLTWELL_METRICS_PORT, value: "{{ .service.ports.metrics }}"}
{{- with .service.schema }}
- {name: VOLTWELL_PG_SQL_DIR, value: /usr/share/voltwell/libs/pg/sql}
- {name: VOLTWELL_SQL_DIRECTORY, value: "/usr/share/voltwell/services/{{ $issuer }}/sql"}
- name: VOLTWELL_PG_URL
  value: "postgresql://voltwell_{{ . }}@{{ $.root.Values.postgres.host }}:{{ $.root.Values.postgres.port }}/{{ $.root.Values.postgres.database }}"
- name: VOLTWELL_PG_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $.root.Values.secrets.passwords }}, key: pg-{{ . }}}}
{{- end }}
{{- if .service.redis }}
- {name: VOLTWELL_REDIS_HOST, value: {{ .root.Values.redis.host | quote }}}
- {name: VOLTWELL_REDIS_PORT, value: "{{ .root.Values.redis.port }}"}
- name: VOLTWELL_REDIS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .root.Values.secrets.passwords }}, key: redis}}
{{- end }}
{{- if .service.podIdentity }}
- name: VOLTWELL_POD
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- {name: VOLTWELL_ADVERTISE, value: "$(POD_IP):{{ .service.ports.grpc }}"}
{{- end }}
{{- range $name, $value := merge (default dict .service.env) .root.Values.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- range $name, $key := .service.secretEnv }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $.root.Values.secrets.passwords }}, key: {{ $key }}}}
{{- end }}
{{- end }}
