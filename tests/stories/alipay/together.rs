//! One policy governs all rails: a day's payments by x402, MPP and Alipay against one weekly budget in dollars, yuan at the user's rate.

use serde_json::{Value, json};

use crate::support::{AlipayDouble, Client, HostileMpp, Place, alipay, hostile_seller::HostileSeller};

/// Anything small goes through, ten cents a week.
const WEEK: &str = "format = 1\nname = \"week\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
                    rule = [{ id = \"small\", effect = \"allow\", when = { exposure = { le = \"50.00\" } } }]\n\
                    budget = [{ id = \"week\", scope = [], window = \"rolling:7d\", max_amount = \"0.10\", on_exceed = \"deny\" }]\n";

struct Day {
    client: Client,
    alipay: AlipayDouble,
    x402: HostileSeller,
    mpp: HostileMpp,
}

impl Day {
    /// The `n`th payment of the day: a cent by x402 or MPP, half a yuan, which is seven cents, by Alipay.
    async fn pays(&self, n: usize, rail: &str) -> (u16, Value) {
        match rail {
            "x402" => self.client.fetch(&self.x402.case("real"), &n.to_string()).await,
            "mpp" => self.client.fetch(&self.mpp.case(&format!("real-{n}")), &n.to_string()).await,
            _ => {
                // Its page counts beside what is spent, not with it.
                let trade = format!("T{n}");
                self.alipay.sells(&self.client, &trade, "0.50").await;
                let refund = json!({"outTradeNo": trade, "refundAmount": "0.50", "outRequestNo": format!("R{n}")});
                self.client.post("/v1/alipay/refund-alipay-payment", &refund).await
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_weekly_budget_in_dollars_counts_all_three_rails_whichever_comes_last() {
    for order in [
        ["x402", "mpp", "alipay", "x402", "mpp"],
        ["alipay", "mpp", "x402", "mpp", "x402"],
        ["mpp", "x402", "mpp", "x402", "alipay"],
    ] {
        let (place, wallet) = Place::with_wallet(alipay::CONFIG);
        let alipay = AlipayDouble::start().await;
        alipay.set_up(&place);
        let token = place.agent("clerk");
        place.policy(WEEK);
        let service = place.serve("deny");
        let client = Client::new(&service.url, &token);
        let (x402, mpp) = (HostileSeller::start(&wallet).await, HostileMpp::start(&wallet).await);
        let day = Day { client, alipay, x402, mpp };
        for (n, rail) in order[..4].iter().enumerate() {
            let (status, paid) = day.pays(n, rail).await;
            assert_eq!(
                (status, paid["status"].as_str(), paid["payment"]["rail"].as_str()),
                (200, Some("completed"), Some(*rail)),
                "{order:?}, {n}: {paid}"
            );
        }
        let (last, before) = (order[4], day.alipay.seen().await["refunds"].as_array().map(Vec::len));
        let (_, refused) = day.pays(4, last).await;
        assert_eq!(refused["code"], "over_budget", "{last} did not count: {refused}");
        assert_eq!(refused["outcome"]["payment"]["decision"]["rule"], "budget:week", "{refused}");
        let signed = order[..4].iter().filter(|rail| **rail == "x402").count();
        assert_eq!(day.x402.credentials("real").len(), signed, "what was refused was signed");
        assert_eq!(day.mpp.credentials("real-4").len(), 0, "what was refused was signed");
        assert_eq!(day.alipay.seen().await["refunds"].as_array().map(Vec::len), before, "what was refused was sent");
        assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
    }
}
