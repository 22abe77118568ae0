# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes of storage, in English and Korean. Braces name facts of the finding."""

from __future__ import annotations

from collections.abc import Mapping

from .text import Text, Words

TEXTS: Mapping[str, Text] = {
    "storage.no_class": Text(
        "error",
        Words(
            "The cluster has no StorageClass",
            "Let the site install one: -e cluster_install=missing; or install a provisioner such as"
            " local-path and make its StorageClass the default",
        ),
        Words(
            "클러스터에 StorageClass가 없습니다",
            "사이트가 설치하게 하거나(-e cluster_install=missing) local-path 같은 프로비저너를 설치하고 그"
            " StorageClass를 기본으로 지정하세요",
        ),
    ),
    "storage.class_missing": Text(
        "error",
        Words(
            "The StorageClass {subject} does not exist",
            "Name one that exists: {classes}",
        ),
        Words(
            "StorageClass {subject}이(가) 없습니다",
            "존재하는 클래스를 지정하세요: {classes}",
        ),
    ),
    "storage.no_default_class": Text(
        "error",
        Words(
            "No StorageClass is the default, and there are several",
            "Name one of them: {classes}",
        ),
        Words(
            "기본 StorageClass가 없고 클래스가 여러 개입니다",
            "그중 하나를 지정하세요: {classes}",
        ),
    ),
    "storage.two_defaults": Text(
        "warning",
        Words(
            "Several StorageClasses are the default: {subject}; the newest, {chosen}, is taken",
            "Keep one: kubectl annotate storageclass {other}"
            " storageclass.kubernetes.io/is-default-class=false --overwrite",
        ),
        Words(
            "기본 StorageClass가 여러 개입니다: {subject}. 가장 최근의 {chosen}이(가) 쓰입니다",
            "하나만 남기세요: kubectl annotate storageclass {other}"
            " storageclass.kubernetes.io/is-default-class=false --overwrite",
        ),
    ),
    "storage.no_provisioner": Text(
        "error",
        Words(
            "The StorageClass {subject} provisions nothing ({provisioner}), and no"
            " PersistentVolume of it is free",
            "Create PersistentVolumes with storageClassName {subject}, or name a class with a"
            " provisioner",
        ),
        Words(
            "StorageClass {subject}은(는) 자동으로 볼륨을 만들지 않으며({provisioner}), 사용할"
            " 수 있는 PersistentVolume도 없습니다",
            "storageClassName이 {subject}인 PersistentVolume을 만들거나, 프로비저너가 있는"
            " 클래스를 지정하세요",
        ),
    ),
    "storage.provisioner_absent": Text(
        "error",
        Words(
            "The provisioner {provisioner} of the StorageClass {subject} has no running Pod",
            "Install or restart the provisioner, or name another class: {classes}",
        ),
        Words(
            "StorageClass {subject}의 프로비저너 {provisioner}에 실행 중인 Pod가 없습니다",
            "프로비저너를 설치하거나 다시 시작하고, 아니면 다른 클래스를 지정하세요: {classes}",
        ),
    ),
    "storage.not_expandable": Text(
        "info",
        Words(
            "Volumes of the StorageClass {subject} cannot grow later (allowVolumeExpansion is"
            " not set)",
            "Choose sizes with room to grow, or a class that can expand",
        ),
        Words(
            "StorageClass {subject}의 볼륨은 나중에 늘릴 수 없습니다 (allowVolumeExpansion 미설정)",
            "여유 있는 크기를 정하거나 확장 가능한 클래스를 사용하세요",
        ),
    ),
    "storage.deletes_volumes": Text(
        "info",
        Words(
            "Volumes of the StorageClass {subject} are deleted with their PVC (reclaimPolicy"
            " Delete)",
            "Keep backups on a PVC of their own",
        ),
        Words(
            "StorageClass {subject}의 볼륨은 PVC와 함께 삭제됩니다 (reclaimPolicy Delete)",
            "백업은 별도의 PVC에 보관하세요",
        ),
    ),
    "storage.claim_absent": Text(
        "error",
        Words(
            "The PVC {subject} does not exist",
            "Run the infra phase, which makes the PVCs",
        ),
        Words(
            "PVC {subject}이(가) 없습니다",
            "PVC를 만드는 infra 단계를 실행하세요",
        ),
    ),
    "storage.waits_for_consumer": Text(
        "info",
        Words(
            "The PVC {subject} is Pending until its first Pod; that is normal with {storage_class}",
            "Go on: it binds with the first Pod that uses it",
        ),
        Words(
            "PVC {subject}은(는) 첫 Pod가 생길 때까지 Pending입니다. {storage_class}에서는"
            " 정상입니다",
            "계속 진행하세요. 이 PVC를 쓰는 첫 Pod와 함께 바인딩됩니다",
        ),
    ),
    "storage.claim_no_class": Text(
        "error",
        Words(
            "The PVC {subject} has no StorageClass: nothing makes a volume for it",
            "Make it again with storageClassName set to one of: {classes}",
        ),
        Words(
            "PVC {subject}에 StorageClass가 없어 볼륨이 만들어지지 않습니다",
            "storageClassName을 다음 중 하나로 지정해 다시 만드세요: {classes}",
        ),
    ),
    "storage.claim_class_missing": Text(
        "error",
        Words(
            "The PVC {subject} wants the StorageClass {storage_class}, which does not exist",
            "Make it again with storageClassName set to one of: {classes}",
        ),
        Words(
            "PVC {subject}이(가) 요구하는 StorageClass {storage_class}이(가) 없습니다",
            "storageClassName을 다음 중 하나로 지정해 다시 만드세요: {classes}",
        ),
    ),
    "storage.class_differs": Text(
        "error",
        Words(
            "The PVC {subject} wants the class {storage_class}, and its PersistentVolume"
            " {volume} is of the class {volume_class}",
            "Give both the same storageClassName; a PVC's cannot be changed, so it is made again",
        ),
        Words(
            "PVC {subject}의 클래스는 {storage_class}이고 PersistentVolume {volume}의 클래스는"
            " {volume_class}입니다",
            "둘의 storageClassName을 같게 하세요. PVC의 값은 바꿀 수 없으므로 다시 만들어야 합니다",
        ),
    ),
    "storage.claim_lost": Text(
        "error",
        Words(
            "The PVC {subject} has lost its PersistentVolume {volume}",
            "Restore the volume from a backup into a new PVC",
        ),
        Words(
            "PVC {subject}이(가) PersistentVolume {volume}을(를) 잃었습니다",
            "백업에서 새 PVC로 복원하세요",
        ),
    ),
    "storage.provisioning_failed": Text(
        "error",
        Words(
            "The PVC {subject} cannot be provisioned: {message}",
            "Change what the message names, then delete and make the PVC again",
        ),
        Words(
            "PVC {subject}을(를) 프로비저닝할 수 없습니다: {message}",
            "메시지에 나온 항목을 고친 뒤 PVC를 삭제하고 다시 만드세요",
        ),
    ),
    "storage.claim_pending": Text(
        "error",
        Words(
            "The PVC {subject} is Pending, and no Pod has to come first",
            "See its events: kubectl -n {namespace} describe pvc {name}",
        ),
        Words(
            "PVC {subject}이(가) Pending 상태이며, Pod를 기다리는 것이 아닙니다",
            "이벤트를 확인하세요: kubectl -n {namespace} describe pvc {name}",
        ),
    ),
    "storage.claim_unused": Text(
        "error",
        Words(
            "The PVC {subject} is Pending because no Pod uses it yet, and it is required to be"
            " bound",
            "Start the Pod that uses it; its class {storage_class} binds with the first Pod",
        ),
        Words(
            "사용하는 Pod가 없어 PVC {subject}이(가) Pending이지만, 바인딩이 요구됩니다",
            "이 PVC를 쓰는 Pod를 시작하세요. {storage_class} 클래스는 첫 Pod와 함께 바인딩됩니다",
        ),
    ),
    "storage.claim_stuck": Text(
        "error",
        Words(
            "The PVC {subject} is used by the Pod {pod} and still has no volume",
            "See its events and those of the Pod: kubectl -n {namespace} describe pvc {name}",
        ),
        Words(
            "Pod {pod}이(가) PVC {subject}을(를) 사용하는데도 볼륨이 없습니다",
            "PVC와 Pod의 이벤트를 확인하세요: kubectl -n {namespace} describe pvc {name}",
        ),
    ),
    "storage.claim_other_class": Text(
        "error",
        Words(
            "The PVC {subject} is of the StorageClass {storage_class}, not {wanted}",
            "Name {storage_class} as the storage class, or move the data to a new PVC",
        ),
        Words(
            "PVC {subject}의 StorageClass는 {wanted}이(가) 아니라 {storage_class}입니다",
            "{storage_class}을(를) 스토리지 클래스로 지정하거나, 데이터를 새 PVC로 옮기세요",
        ),
    ),
    "storage.claim_too_small": Text(
        "error",
        Words(
            "The PVC {subject} has {size}, and {wanted} are wanted",
            "Lower the wanted size, or expand the PVC where its class allows it",
        ),
        Words(
            "PVC {subject}의 크기는 {size}이며 {wanted}이(가) 필요합니다",
            "요구 크기를 낮추거나, 클래스가 허용하면 PVC를 확장하세요",
        ),
    ),
    "storage.claim_access_mode": Text(
        "error",
        Words(
            "The PVC {subject} cannot be written by one node: its access modes are {modes}",
            "Make it again with accessModes: [ReadWriteOnce]",
        ),
        Words(
            "PVC {subject}은(는) 한 노드에서 쓸 수 없습니다. 접근 모드: {modes}",
            "accessModes: [ReadWriteOnce]로 다시 만드세요",
        ),
    ),
    "storage.claim_shared": Text(
        "error",
        Words(
            "Several running Pods use the PVC {subject}: {pods}",
            "Leave one: two mysqlds on one volume destroy its data",
        ),
        Words(
            "실행 중인 여러 Pod가 PVC {subject}을(를) 함께 사용합니다: {pods}",
            "하나만 남기세요. 한 볼륨을 두 mysqld가 쓰면 데이터가 손상됩니다",
        ),
    ),
    "storage.permission_denied": Text(
        "error",
        Words(
            "{subject}: mysqld may not write to its volume (errno 13); it belongs to another user",
            "Own it by an init container (chown of the data directory), or by fsGroup where the"
            " volume honours it; {source} does not always",
        ),
        Words(
            "{subject}: mysqld가 볼륨에 쓸 권한이 없습니다(errno 13). 볼륨의 소유자가 다릅니다",
            "초기화 컨테이너로 데이터 디렉터리의 소유권을 바꾸거나, 지원하는 볼륨이라면"
            " fsGroup을 쓰세요. {source}은(는) 지원하지 않을 수 있습니다",
        ),
    ),
    "storage.disk_full": Text(
        "error",
        Words(
            "{subject}: the volume is full (errno 28)",
            "Free space or give the instance a larger PVC, then start it again",
        ),
        Words(
            "{subject}: 볼륨이 가득 찼습니다 (errno 28)",
            "공간을 확보하거나 더 큰 PVC를 준비한 뒤 다시 시작하세요",
        ),
    ),
    "storage.read_only": Text(
        "error",
        Words(
            "{subject}: the volume is read-only (errno 30)",
            "Mount it without readOnly, or repair the file system under it",
        ),
        Words(
            "{subject}: 볼륨이 읽기 전용입니다 (errno 30)",
            "readOnly 없이 마운트하거나 파일 시스템을 복구하세요",
        ),
    ),
}
