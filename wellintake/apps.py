from django.apps import AppConfig


class WellIntakeConfig(AppConfig):
    name = "wellintake"
    verbose_name = "Access and memory"

    def ready(self) -> None:
        from wellintake import checks  # noqa: F401  (registers the system checks)
