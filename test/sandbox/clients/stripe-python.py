"""Signs a member up with the Python library, and prints as JSON what it saw."""

import json
import sys

import stripe

stripe.api_base, stripe.api_key = sys.argv[1], sys.argv[2]

product = stripe.Product.create(name="Membership")
price = stripe.Price.create(
    product=product.id, currency="usd", unit_amount=4900, recurring={"interval": "month"}, expand=["product"]
)
clock = stripe.test_helpers.TestClock.create(frozen_time=1801394400, name="python")
customer = stripe.Customer.create(
    payment_method="pm_card_visa",
    invoice_settings={"default_payment_method": "pm_card_visa"},
    test_clock=clock.id,
)
subscription = stripe.Subscription.create(
    customer=customer.id, items=[{"price": price.id}], expand=["latest_invoice"], idempotency_key="python-1"
)
again = stripe.Subscription.create(
    customer=customer.id, items=[{"price": price.id}], expand=["latest_invoice"], idempotency_key="python-1"
)
clock.advance(frozen_time=1801394400 + 32 * 86400)
coupons = [stripe.Coupon.create(percent_off=10, duration="once").id for _ in range(12)]
listed = [coupon.id for coupon in stripe.Coupon.list(limit=5).auto_paging_iter()]


def refusal(request):
    try:
        request()
    except stripe.StripeError as error:
        return [type(error).__name__, error.http_status, error.code]


print(
    json.dumps(
        {
            "version": stripe.VERSION,
            "expanded": price.product.name,
            "first": subscription.latest_invoice.total,
            "replayed": again.id == subscription.id,
            "invoices": len(stripe.Invoice.list(subscription=subscription.id).data),
            "paged": sorted(listed) == sorted(coupons),
            "missing": refusal(lambda: stripe.Subscription.retrieve("sub_none")),
            "unknown": refusal(lambda: stripe.Product.create(name="x", frog="y")),
            "key": refusal(lambda: stripe.Product.list(api_key="sk_test_wrong")),
            "declined": refusal(
                lambda: stripe.Subscription.create(
                    customer=stripe.Customer.create(
                        payment_method="pm_card_chargeCustomerFail",
                        invoice_settings={"default_payment_method": "pm_card_chargeCustomerFail"},
                    ).id,
                    items=[{"price": price.id}],
                    payment_behavior="error_if_incomplete",
                )
            ),
        }
    )
)
