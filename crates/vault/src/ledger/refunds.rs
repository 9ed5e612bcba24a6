//! All refunds of one trade together are never more than the trade, and while the end of one is not known another asks.

use countersign_core::{
    payment::{Op, Quote},
    signable::{
        Signable,
        alipay::{Order, Ordered},
    },
};

use super::{
    hold::forms,
    tx::{Stop, Tx, damaged},
};
use crate::error::VaultError;

impl Tx<'_> {
    /// Refuses a refund that would go beyond its trade with all earlier ones that are held, spent or unknown.
    pub fn within_trade(&self, form: &Signable) -> Result<(), Stop> {
        let Signable::Alipay(Order { app_id, what, .. }) = form else { return Ok(()) };
        let Ordered::Refund { out_trade_no, amount, of, .. } = what else { return Ok(()) };
        let mut statement = self.conn.prepare_cached(
            "SELECT s.payment FROM signable s JOIN head h ON h.payment = s.payment
             WHERE s.wallet = ?1 AND h.state IN ('reserved', 'signed', 'delivered', 'settled', 'unknown')",
        )?;
        let payments =
            statement.query_map([form.signer()], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        let mut sum = *amount;
        for payment in payments {
            for earlier in forms(self.conn, payment)? {
                let Signable::Alipay(order) = &earlier else { continue };
                let same = matches!(&order.what, Ordered::Refund { out_trade_no: other, .. } if other == out_trade_no);
                if same && order.app_id == *app_id {
                    sum = sum.checked_add(order.amount()).ok_or_else(|| damaged("refunds beyond every number"))?;
                }
            }
        }
        if sum > *of {
            let why = "with the refunds before it this one would give back more than the trade brought";
            return Err(VaultError::Refused(why.to_owned()).into());
        }
        Ok(())
    }

    /// Whether a refund of the same trade, of any sum and by any agent, may still happen or may have happened: under another
    /// number the same money could go back twice. `own` is the payment itself if it is written already.
    pub fn refund_open(&self, quote: &Quote, own: Option<i64>) -> Result<bool, Stop> {
        if quote.op != Op::Refund {
            return Ok(false);
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT s.payment FROM signable s JOIN head h ON h.payment = s.payment
             WHERE s.wallet = ?1 AND s.payment IS NOT ?2 AND h.state IN ('reserved', 'signed', 'delivered', 'unknown')",
        )?;
        let payments =
            statement.query_map((&quote.wallet, own), |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        for payment in payments {
            let same = |form: &Signable| match form {
                Signable::Alipay(order @ Order { what: Ordered::Refund { .. }, .. }) => {
                    order.account() == quote.payee.account
                }
                _ => false,
            };
            if forms(self.conn, payment)?.iter().any(same) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
