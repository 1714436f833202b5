"""What the exchange says to people, in plain English, French and Dutch: what happened, and what to do next.

Used wherever an error or a page reaches a person. Log lines for operators are not here.
"""

# ruff: noqa: E501 - a sentence on one line is easier to translate

from __future__ import annotations

from types import MappingProxyType

from hub.exchange.environment import LANGUAGES, Environment

_SENTENCES: dict[str, tuple[str, str, str]] = {
    # Reaching the service
    "away": (
        "The platform does not answer at the moment. Your work is safe in your folder. Wait a minute and try again.",
        "La plateforme ne répond pas pour le moment. Votre travail est en sécurité dans votre dossier. Attendez une minute et réessayez.",
        "Het platform antwoordt nu niet. Je werk staat veilig in je map. Wacht een minuut en probeer opnieuw.",
    ),
    "unsure": (
        "The platform did not confirm that your work arrived. Look at your list of submissions; if it is not there, submit again.",
        "La plateforme n'a pas confirmé la réception de votre travail. Regardez la liste de vos remises ; s'il n'y est pas, remettez-le à nouveau.",
        "Het platform heeft niet bevestigd dat je werk is aangekomen. Kijk in je lijst met inzendingen; staat het er niet bij, dien het dan opnieuw in.",
    ),
    "broken": (
        "Something went wrong on the platform, not in your work. Try again in a few minutes. If it stays, tell your trainer this number: %(request)s",
        "Quelque chose a mal fonctionné sur la plateforme, pas dans votre travail. Réessayez dans quelques minutes. Si cela continue, donnez ce numéro à votre formateur : %(request)s",
        "Er ging iets mis op het platform, niet in je werk. Probeer het over een paar minuten opnieuw. Blijft het zo, geef dit nummer dan aan je trainer: %(request)s",
    ),
    "outside": (
        "This command works only in your workspace on the platform. Open your workspace from the platform's page.",
        "Cette commande fonctionne seulement dans votre espace de travail sur la plateforme. Ouvrez votre espace depuis la page de la plateforme.",
        "Deze opdracht werkt alleen in je werkruimte op het platform. Open je werkruimte vanaf de pagina van het platform.",
    ),
    "signed_out": (
        "Your workspace is no longer signed in. Stop it and start it again from the platform's page. Your files stay.",
        "Votre espace de travail n'est plus connecté. Arrêtez-le et redémarrez-le depuis la page de la plateforme. Vos fichiers restent.",
        "Je werkruimte is niet meer aangemeld. Stop ze en start ze opnieuw vanaf de pagina van het platform. Je bestanden blijven.",
    ),
    "not_allowed": (
        "You may not do this. If you think you should, ask your trainer.",
        "Vous ne pouvez pas faire cela. Si vous pensez que vous devriez pouvoir, demandez à votre formateur.",
        "Dit mag je niet doen. Denk je van wel? Vraag het aan je trainer.",
    ),
    "not_found": (
        "We can't find “%(what)s” for you. Check the name. If you are not enrolled in the course, ask your trainer.",
        "Nous ne trouvons pas « %(what)s » pour vous. Vérifiez le nom. Si vous n'êtes pas inscrit au cours, demandez à votre formateur.",
        "We vinden “%(what)s” niet voor jou. Controleer de naam. Ben je niet ingeschreven voor de cursus? Vraag het aan je trainer.",
    ),
    "too_large": (
        "Your folder is too large to submit (the limit is %(limit)s MB). Remove big files that the exercise does not need and submit again.",
        "Votre dossier est trop grand pour être remis (la limite est de %(limit)s Mo). Supprimez les gros fichiers dont l'exercice n'a pas besoin et remettez à nouveau.",
        "Je map is te groot om in te dienen (de grens is %(limit)s MB). Verwijder grote bestanden die de oefening niet nodig heeft en dien opnieuw in.",
    ),
    "too_many_files": (
        "Your folder has too many files to submit (the limit is %(limit)s). Remove the ones that the exercise does not need and submit again.",
        "Votre dossier contient trop de fichiers pour être remis (la limite est de %(limit)s). Supprimez ceux dont l'exercice n'a pas besoin et remettez à nouveau.",
        "Je map heeft te veel bestanden om in te dienen (de grens is %(limit)s). Verwijder wat de oefening niet nodig heeft en dien opnieuw in.",
    ),
    "bad_name": (
        "The file “%(name)s” has a name or a place that can't be submitted. Rename it or move it higher up, and submit again.",
        "Le fichier « %(name)s » a un nom ou un emplacement qui ne peut pas être remis. Renommez-le ou placez-le plus haut, puis remettez à nouveau.",
        "Het bestand “%(name)s” heeft een naam of plaats die niet kan. Geef het een andere naam of zet het hoger, en dien opnieuw in.",
    ),
    "unreadable": (
        "The file “%(name)s” can't be read. Close the program that uses it, or remove it, and try again.",
        "Le fichier « %(name)s » ne peut pas être lu. Fermez le programme qui l'utilise, ou supprimez-le, et réessayez.",
        "Het bestand “%(name)s” kan niet gelezen worden. Sluit het programma dat het gebruikt, of verwijder het, en probeer opnieuw.",
    ),
    "deadline_passed": (
        "The deadline for this exercise has passed, so it can't be submitted any more. Ask your trainer if you need more time.",
        "La date limite de cet exercice est passée, vous ne pouvez plus le remettre. Demandez à votre formateur si vous avez besoin de plus de temps.",
        "De uiterste datum van deze oefening is voorbij, je kunt ze niet meer indienen. Vraag je trainer als je meer tijd nodig hebt.",
    ),
    "too_many": (
        "You submitted many times in a short while. Wait a minute, read the feedback you have, and submit again.",
        "Vous avez remis votre travail plusieurs fois en peu de temps. Attendez une minute, lisez le retour que vous avez, et remettez à nouveau.",
        "Je hebt kort na elkaar vaak ingediend. Wacht een minuut, lees de feedback die je al hebt, en dien opnieuw in.",
    ),
    "bad_archive": (
        "The platform sent files that are not safe to unpack, so nothing was written. Tell your trainer: %(why)s",
        "La plateforme a envoyé des fichiers qu'il n'est pas sûr de décompresser ; rien n'a été écrit. Dites-le à votre formateur : %(why)s",
        "Het platform stuurde bestanden die niet veilig uit te pakken zijn; er is niets geschreven. Zeg dit aan je trainer: %(why)s",
    ),
    "disk_full": (
        "Your disk is full. Remove files that you no longer need and try again.",
        "Votre disque est plein. Supprimez des fichiers dont vous n'avez plus besoin et réessayez.",
        "Je schijf is vol. Verwijder bestanden die je niet meer nodig hebt en probeer opnieuw.",
    ),
    "can_not_write": (
        "“%(name)s” can't be written in your folder: a file or link of yours is in the way. Rename or remove it and try again.",
        "« %(name)s » ne peut pas être écrit dans votre dossier : un fichier ou un lien à vous est à cette place. Renommez-le ou supprimez-le et réessayez.",
        "“%(name)s” kan niet in je map geschreven worden: een bestand of link van jou staat in de weg. Geef het een andere naam of verwijder het en probeer opnieuw.",
    ),
    # The seven operations
    "which_course": (
        "Say which course: add --course COURSE. Your courses: %(courses)s.",
        "Dites quel cours : ajoutez --course COURS. Vos cours : %(courses)s.",
        "Zeg welke cursus: voeg --course CURSUS toe. Jouw cursussen: %(courses)s.",
    ),
    "no_course": (
        "You are not enrolled in any course yet. Ask your trainer.",
        "Vous n'êtes encore inscrit à aucun cours. Demandez à votre formateur.",
        "Je bent nog voor geen enkele cursus ingeschreven. Vraag het aan je trainer.",
    ),
    "which_assignment": (
        "Say which exercise: give its name after the command.",
        "Dites quel exercice : donnez son nom après la commande.",
        "Zeg welke oefening: geef de naam na de opdracht.",
    ),
    "already_fetched": (
        "You already have this exercise in the folder “%(folder)s”; nothing in it was changed.",
        "Vous avez déjà cet exercice dans le dossier « %(folder)s » ; rien n'y a été changé.",
        "Je hebt deze oefening al in de map “%(folder)s”; daarin is niets veranderd.",
    ),
    "nothing_to_submit": (
        "There is no folder “%(folder)s”. Open the exercise first, work on it, then submit.",
        "Il n'y a pas de dossier « %(folder)s ». Ouvrez d'abord l'exercice, travaillez, puis remettez-le.",
        "Er is geen map “%(folder)s”. Open eerst de oefening, werk eraan, en dien dan in.",
    ),
    "missing_notebooks": (
        "Not submitted: these notebooks of the exercise are missing from your folder: %(names)s.",
        "Non remis : ces notebooks de l'exercice manquent dans votre dossier : %(names)s.",
        "Niet ingediend: deze notebooks van de oefening ontbreken in je map: %(names)s.",
    ),
    "no_notebook": (
        "This exercise has no notebook to open. Tell your trainer.",
        "Cet exercice n'a pas de notebook à ouvrir. Dites-le à votre formateur.",
        "Deze oefening heeft geen notebook om te openen. Zeg het aan je trainer.",
    ),
    "submissions_stay": (
        "Submissions are kept on the platform and can't be removed from here.",
        "Les remises sont conservées sur la plateforme et ne peuvent pas être supprimées d'ici.",
        "Inzendingen worden op het platform bewaard en kunnen hier niet verwijderd worden.",
    ),
    # Trainers
    "no_source": (
        "There is no folder “%(folder)s” to publish. Write the exercise there first.",
        "Il n'y a pas de dossier « %(folder)s » à publier. Écrivez d'abord l'exercice à cet endroit.",
        "Er is geen map “%(folder)s” om te publiceren. Schrijf de oefening eerst daar.",
    ),
    "already_released": (
        "“%(what)s” is published already. Add --force to publish your folder as a new version.",
        "« %(what)s » est déjà publié. Ajoutez --force pour publier votre dossier comme nouvelle version.",
        "“%(what)s” is al gepubliceerd. Voeg --force toe om je map als nieuwe versie te publiceren.",
    ),
    "regrade_queued": (
        "The platform grades this work again, in its sandbox. Reload the page in a moment to see the result.",
        "La plateforme corrige à nouveau ce travail, dans son bac à sable. Rechargez la page dans un instant pour voir le résultat.",
        "Het platform beoordeelt dit werk opnieuw, in zijn sandbox. Herlaad de pagina straks om het resultaat te zien.",
    ),
    "nothing_submitted": (
        "There is no submission of %(learner)s for “%(what)s”.",
        "Il n'y a pas de remise de %(learner)s pour « %(what)s ».",
        "Er is geen inzending van %(learner)s voor “%(what)s”.",
    ),
    "feedback_made": (
        "The platform makes the feedback together with each grade; there is nothing to generate. “Release feedback” lets the learners read it.",
        "La plateforme prépare le retour avec chaque note ; il n'y a rien à générer. « Release feedback » permet aux apprenants de le lire.",
        "Het platform maakt de feedback samen met elke score; er hoeft niets gemaakt te worden. Met “Release feedback” kunnen de cursisten ze lezen.",
    ),
    "feedback_released": (
        "Released feedback of %(count)s submissions.",
        "Retour publié pour %(count)s remises.",
        "Feedback van %(count)s inzendingen vrijgegeven.",
    ),
    "never_here": (
        "Work of learners never runs here: the platform grades it in a sandbox. Use “Autograde” in Formgrader or “Grade again” on the platform's page.",
        "Le travail des apprenants n'est jamais exécuté ici : la plateforme le corrige dans un bac à sable. Utilisez « Autograde » dans Formgrader ou « Corriger à nouveau » sur la page de la plateforme.",
        "Werk van cursisten wordt hier nooit uitgevoerd: het platform beoordeelt het in een sandbox. Gebruik “Autograde” in Formgrader of “Opnieuw beoordelen” op de pagina van het platform.",
    ),
    "people_elsewhere": (
        "People are managed on the platform's page, not in Formgrader.",
        "Les personnes sont gérées sur la page de la plateforme, pas dans Formgrader.",
        "Personen worden beheerd op de pagina van het platform, niet in Formgrader.",
    ),
    "publish_first": (
        "Release the exercise first; then its deadline can be kept.",
        "Publiez d'abord l'exercice ; ensuite sa date limite pourra être enregistrée.",
        "Publiceer eerst de oefening; daarna kan de uiterste datum bewaard worden.",
    ),
    "newer_mark": (
        "Somebody gave this answer another mark after you opened the page. Your mark was not kept. Reload the page and look again.",
        "Quelqu'un a donné une autre note à cette réponse après que vous avez ouvert la page. Votre note n'a pas été gardée. Rechargez la page et regardez à nouveau.",
        "Iemand gaf dit antwoord een andere score nadat je de pagina opende. Jouw score is niet bewaard. Herlaad de pagina en kijk opnieuw.",
    ),
    "choose_course": ("Choose a course", "Choisissez un cours", "Kies een cursus"),
    "stale_copy": (
        "The platform does not answer. You see the last copy of the gradebook; new marks can't be kept now.",
        "La plateforme ne répond pas. Vous voyez la dernière copie du carnet de notes ; de nouvelles notes ne peuvent pas être enregistrées maintenant.",
        "Het platform antwoordt niet. Je ziet de laatste kopie van het puntenboek; nieuwe scores kunnen nu niet bewaard worden.",
    ),
    "formgrader_help": (
        "This is a copy for reading and marking. Release publishes your source folder; Autograde, Collect and Feedback are done by the platform; the marks and comments you give are kept there.",
        "Ceci est une copie pour lire et noter. « Release » publie votre dossier source ; « Autograde », « Collect » et le retour sont faits par la plateforme ; vos notes et commentaires y sont conservés.",
        "Dit is een kopie om te lezen en te beoordelen. “Release” publiceert je bronmap; “Autograde”, “Collect” en feedback gebeuren door het platform; je scores en opmerkingen worden daar bewaard.",
    ),
    "other_course": ("Other course", "Autre cours", "Andere cursus"),
    # The page shown when an exercise can't be opened
    "can_not_open": (
        "The exercise could not be opened",
        "L'exercice n'a pas pu être ouvert",
        "De oefening kon niet geopend worden",
    ),
    "try_again": ("Try again", "Réessayer", "Opnieuw proberen"),
    "back": ("Back to the platform", "Retour à la plateforme", "Terug naar het platform"),
    "to_workspace": ("Open your workspace", "Ouvrir votre espace de travail", "Open je werkruimte"),
}

SENTENCES = MappingProxyType(_SENTENCES)


def say(key: str, language: str | None = None, **values: object) -> str:
    """Return the sentence called `key` in the person's language.

    Args:
        key: a key of SENTENCES.
        language: en, fr or nl; the container's language when not given.
        **values: what the sentence names.
    """
    chosen = language or Environment.read().language
    return SENTENCES[key][LANGUAGES.index(chosen)] % values
