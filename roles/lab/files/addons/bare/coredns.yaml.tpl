---
# kubeadm's own Corefile forwards other names to the node's resolver. The lab's nodes reach no network:
# a name that the cluster does not know is answered at once, as one that does not exist.
apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  Corefile: |
    cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
        errors
        health {
           lameduck 5s
        }
        ready
        kubernetes cluster.local in-addr.arpa ip6.arpa {
           pods insecure
           ttl 30
        }
        loadbalance
        reload 5s
    }
    .:53 {
        errors
        template ANY ANY {
           rcode NXDOMAIN
        }
    }
