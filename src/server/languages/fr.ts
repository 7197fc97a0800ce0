import type { Words } from './words.ts'

export const french: Words = {
  language: 'fr',
  title: 'Résilier votre abonnement',
  question: 'Voulez-vous résilier ?',
  ends: (what) => `Cela met fin à : ${what}.`,
  nothingElse: 'Tout le reste chez nous demeure inchangé.',
  endsNow: 'Votre accès prend fin dès que vous confirmez.',
  endsAt: (day) => `Vous gardez votre accès jusqu’au ${day}.`,
  noNextPayment: (day) => `Votre prochain paiement, prévu le ${day}, ne sera pas prélevé.`,
  noNextPaymentOf: (amount, day) => `Votre prochain paiement de ${amount}, prévu le ${day}, ne sera pas prélevé.`,
  yes: 'Oui, résilier',
  keep: 'Pour ne rien changer, fermez cette page.',
  waitingTitle: 'Votre résiliation est en cours',
  waiting:
    'Nous l’avons bien reçue. Cela prend en général quelques secondes, et vous n’avez rien d’autre à faire. Vous pouvez fermer cette page.',
  lookAgain: 'Vérifier si c’est fait',
  doneTitle: 'Votre abonnement est résilié',
  done: 'Plus aucun paiement ne sera prélevé. Vous pouvez fermer cette page.',
  personTitle: 'Nous traitons votre résiliation',
  person: 'Nous l’avons bien reçue, et notre équipe la terminera à la main. Vous n’avez rien d’autre à faire.',
  endingTitle: 'Votre abonnement prend déjà fin',
  ending: (day) => `Vous gardez votre accès jusqu’au ${day}, et plus aucun paiement ne sera prélevé.`,
  nothingTitle: 'Il n’y a rien à résilier',
  nothing: 'Cet abonnement est déjà terminé. Plus aucun paiement ne sera prélevé.',
  badTitle: 'Ce lien ne fonctionne pas',
  bad: 'Il a peut-être expiré ou il est incomplet. Demandez-nous un nouveau lien, et nous vous l’enverrons.',
  laterTitle: 'Veuillez réessayer dans une minute',
  later: 'Nous n’avons pas pu enregistrer votre résiliation. Rien n’a été changé.',
  ask: 'Des questions ?',
  membership: 'votre abonnement',
  card: {
    title: 'Veuillez saisir votre carte à nouveau',
    why: (what) =>
      `Nous avons changé notre système de paiement. Nous avons besoin de votre carte une nouvelle fois pour : ${what}.`,
    nextPayment: (day) => `Votre prochain paiement, prévu le ${day}, sera prélevé sur cette carte.`,
    nextPaymentOf: (amount, day) =>
      `Votre prochain paiement de ${amount}, prévu le ${day}, sera prélevé sur cette carte.`,
    afterMove:
      'Vos paiements seront prélevés sur cette carte dès que votre abonnement aura été transféré. Un paiement prévu avant cela est prélevé comme d’habitude. Vous ne payez jamais deux fois.',
    stays: 'Le prix, les dates de paiement et votre accès restent les mêmes. Rien n’est prélevé aujourd’hui.',
    where:
      'Vous saisissez la carte sur une page de Stripe, notre prestataire de paiement. Nous ne voyons jamais son numéro.',
    yes: 'Continuer vers Stripe',
    going: 'Un instant, nous vous dirigeons vers Stripe',
    goOn: 'Continuer vers Stripe',
    doneTitle: 'Votre carte est enregistrée',
    done: 'Votre prochain paiement y sera prélevé. Vous n’avez rien d’autre à faire. Vous pouvez fermer cette page.',
    doneAfterMove:
      'Nous l’utiliserons dès que votre abonnement aura été transféré. Vous n’avez rien d’autre à faire. Vous pouvez fermer cette page.',
    endedTitle: 'Aucune carte n’est nécessaire',
    ended: 'Cet abonnement est terminé. Plus aucun paiement ne sera prélevé.',
    ending: (day) => `Votre abonnement prend fin le ${day}, et plus aucun paiement ne sera prélevé.`,
    later: 'Notre prestataire de paiement ne répond pas en ce moment. Rien n’a été changé.',
  },
}
