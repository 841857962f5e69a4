"""TEMPORARY dense stand-in until `pass` delivers."""
from dataclasses import dataclass
from typing import Any
import numpy as np
@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    u_hat: Any; waves: Any; osc: Any; V: Any; norm_U: Any; skip_a: Any; skip_b: Any; rest_a: Any; rest_b: Any
    def of_group(self, at, plan, number):
        g=plan.groups[number]; z=[plan.retained.index(x) for x in g.retained]
        u=self.u_hat[np.ix_(g.members,z)]; w=self.waves[z]
        return np.concatenate([u.real,-u.imag],1), np.concatenate([w.real,w.imag],0)
def split_outputs(at, circuit, plan):
    p=plan.p; F=plan.retained
    w=np.exp(2j*np.pi/p*np.outer(F,np.arange(p)))
    fac=np.array([1. if 2*z==p else 2. for z in F])/p
    u=fac*(circuit.U@w.conj().T)
    mask=np.zeros(u.shape,bool)
    for g in plan.groups: mask[np.ix_(g.members,[F.index(z) for z in g.retained])]=True
    u=np.where(mask,u,0); UF=(u@w).real; dU=circuit.U-UF
    sa,sb=(fac*(S@w.conj().T) for S in (circuit.S_a,circuit.S_b))
    ra,rb=circuit.S_a-(sa@w).real, circuit.S_b-(sb@w).real
    nU=np.stack([np.sqrt((dU[g.members]**2).sum(0)) for g in plan.groups])
    return Split(u_hat=u,waves=w,osc=np.ptp(dU,1),V=np.ptp(UF,1),norm_U=nU,skip_a=sa,skip_b=sb,rest_a=ra.max(1,keepdims=True)-ra,rest_b=rb.max(1,keepdims=True)-rb)
