---
apiVersion: v1
kind: Namespace
metadata:
  name: traefik
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: traefik
  namespace: traefik
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: traefik
rules:
  - apiGroups: [""]
    resources: [services, endpoints, secrets, configmaps, namespaces, nodes, pods]
    verbs: [get, list, watch]
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [get, list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [ingresses, ingressclasses]
    verbs: [get, list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [ingresses/status]
    verbs: [update, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: traefik
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: traefik
subjects:
  - kind: ServiceAccount
    name: traefik
    namespace: traefik
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: $ingress_class
  annotations:
    ingressclass.kubernetes.io/is-default-class: "true"
spec:
  controller: k8s.io/ingress-nginx
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: traefik
  namespace: traefik
  labels:
    app.kubernetes.io/name: traefik
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: traefik
  template:
    metadata:
      labels:
        app.kubernetes.io/name: traefik
    spec:
      serviceAccountName: traefik
      containers:
        - name: traefik
          image: docker.io/library/traefik:v$traefik
          imagePullPolicy: IfNotPresent
          args:
            - --entryPoints.web.address=:8000
            - --entryPoints.ping.address=:8080
            - --ping=true
            - --ping.entryPoint=ping
            - --providers.kubernetesIngressNGINX=true
            - --providers.kubernetesIngressNGINX.ingressClass=$ingress_class
            - --providers.kubernetesIngressNGINX.httpEntryPoint=web
            - --providers.kubernetesIngressNGINX.publishService=traefik/traefik
            - --global.checkNewVersion=false
            - --global.sendAnonymousUsage=false
          ports:
            - name: web
              containerPort: 8000
            - name: ping
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ping
              port: ping
            periodSeconds: 2
          livenessProbe:
            httpGet:
              path: /ping
              port: ping
            periodSeconds: 10
            failureThreshold: 6
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
            runAsNonRoot: true
            runAsUser: 65532
            runAsGroup: 65532
---
apiVersion: v1
kind: Service
metadata:
  name: traefik
  namespace: traefik
  labels:
    app.kubernetes.io/name: traefik
  annotations:
    metallb.io/loadBalancerIPs: $ingress
spec:
  type: LoadBalancer
  selector:
    app.kubernetes.io/name: traefik
  ports:
    - name: web
      port: 80
      targetPort: web
