//! The official server's names of its five tools.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A page for a telephone.
    CreateMobile,
    /// A page for a computer.
    CreateWeb,
    /// How a trade stands.
    QueryPayment,
    /// Money back.
    Refund,
    /// How a refund stands.
    QueryRefund,
}

impl Tool {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::CreateMobile, Self::CreateWeb, Self::QueryPayment, Self::Refund, Self::QueryRefund];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateMobile => "create-mobile-alipay-payment",
            Self::CreateWeb => "create-web-page-alipay-payment",
            Self::QueryPayment => "query-alipay-payment",
            Self::Refund => "refund-alipay-payment",
            Self::QueryRefund => "query-alipay-refund",
        }
    }

    /// The tool of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Whether it orders something; the others only ask.
    pub const fn orders(self) -> bool {
        matches!(self, Self::CreateMobile | Self::CreateWeb | Self::Refund)
    }
}

/// Whether a tool of this name orders something at Alipay.
pub fn is_ours(name: &str) -> bool {
    Tool::named(name).is_some_and(Tool::orders)
}
