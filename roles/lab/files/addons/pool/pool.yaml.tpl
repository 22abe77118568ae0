---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
spec:
  addresses:
    - {{ lab_pool }}
---
# Announced on the LAN alone: the control plane's road to the host must not hear of it.
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: lab
  namespace: metallb-system
spec:
  ipAddressPools:
    - lab
  interfaces:
    - {{ lab_interface }}
