# The machine of SHAPE=vm, for set-up.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables, names and root are those of the script that sources this file

# One small machine: its disk keeps the gateway's settings, its address never changes, and nobody reaches it but through IAP. The network
# "default" lets everybody in at port 22 and its own machines everywhere (priority 65534), so what IAP does not bring is refused before that.
machine() {
  ensure gcloud compute addresses describe "$MACHINE_ADDRESS" "--region=$GCP_REGION" "--project=$PROJECT_ID" -- \
    gcloud compute addresses create "$MACHINE_ADDRESS" "--region=$GCP_REGION" "--project=$PROJECT_ID"
  ensure gcloud compute disks describe "$MACHINE_DISK" "--zone=$GCP_ZONE" "--project=$PROJECT_ID" -- \
    gcloud compute disks create "$MACHINE_DISK" --size=10GB --type=pd-balanced "--zone=$GCP_ZONE" "--project=$PROJECT_ID"
  local allow=(--allow=tcp:22 --source-ranges=35.235.240.0/20 --priority=1000) deny=(--source-ranges=0.0.0.0/0 --priority=2000)
  settle gcloud compute firewall-rules describe "$MACHINE_ALLOW" "--project=$PROJECT_ID" -- \
    gcloud compute firewall-rules create "$MACHINE_ALLOW" --direction=INGRESS "${allow[@]}" "--target-tags=$MACHINE_TAG" "--project=$PROJECT_ID" -- \
    gcloud compute firewall-rules update "$MACHINE_ALLOW" "${allow[@]}" "--target-tags=$MACHINE_TAG" --no-disabled "--project=$PROJECT_ID"
  settle gcloud compute firewall-rules describe "$MACHINE_DENY" "--project=$PROJECT_ID" -- \
    gcloud compute firewall-rules create "$MACHINE_DENY" --direction=INGRESS --action=DENY --rules=all "${deny[@]}" "--target-tags=$MACHINE_TAG" \
    "--project=$PROJECT_ID" -- \
    gcloud compute firewall-rules update "$MACHINE_DENY" --rules=all "${deny[@]}" "--target-tags=$MACHINE_TAG" --no-disabled "--project=$PROJECT_ID"
  image_of APPLICATION_IMAGE "application:$TRADING_MODE"
  image_of BASE_IMAGE base:latest
  if [ "$DRY_RUN" = no ]; then
    workplace=$(mktemp -d)
    trap 'rm -rf "$workplace"' EXIT
    render "$root/infra/deploy/vm/cloud-init.yaml" >"$workplace/cloud-init.yaml"
  else
    workplace='rendered'
    echo "# renders infra/deploy/vm/cloud-init.yaml into $workplace/cloud-init.yaml"
  fi
  settle gcloud compute instances describe "$MACHINE" "--zone=$GCP_ZONE" "--project=$PROJECT_ID" -- \
    gcloud compute instances create "$MACHINE" --machine-type=e2-medium "--address=$MACHINE_ADDRESS" --image-family=cos-stable \
    --image-project=cos-cloud "--disk=name=$MACHINE_DISK,device-name=$MACHINE_DISK,mode=rw,boot=no,auto-delete=no" --boot-disk-size=20GB \
    "--service-account=$(email_of "$ENGINE_ACCOUNT")" --scopes=cloud-platform "--tags=$MACHINE_TAG" --shielded-secure-boot --deletion-protection \
    --metadata=google-logging-enabled=true,enable-oslogin=TRUE "--metadata-from-file=user-data=$workplace/cloud-init.yaml" \
    "--zone=$GCP_ZONE" "--project=$PROJECT_ID" -- \
    gcloud compute instances add-metadata "$MACHINE" "--metadata-from-file=user-data=$workplace/cloud-init.yaml" "--zone=$GCP_ZONE" "--project=$PROJECT_ID"
}
