from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ZohoConfig(AppConfig):
    name = "zoho"
    verbose_name = "CRM"

    def ready(self) -> None:
        from zoho.models import complete_field_map

        post_migrate.connect(complete_field_map, sender=self)
