"""TEMPORARY dense stand-in until `pass` delivers."""
from dataclasses import dataclass
from typing import Any
import numpy as np
from quadlens.certificates.kink import negative_slope
@dataclass(frozen=True, kw_only=True, eq=False)
class PassSums:
    C: Any; R: Any; res: Any; candidates: int; exceptions: int; arc_ends: Any
    @property
    def crossings(self): return max(self.arc_ends)
def one_pass(at, circuit, choice, split):
    plan=choice.plan; p=plan.p; al=negative_slope(circuit.activation); ka=1-al; pos=lambda x: np.maximum(x,0)
    C=np.zeros((len(plan.retained),p,p),complex)+split.skip_a.T[:,:,None]+split.skip_b.T[:,None,:]
    R=np.zeros((p,p)); res=np.zeros((p,p)); exc=0; cand=0
    Y=(np.arange(p)[:,None]+np.arange(p))%p
    for num,g in enumerate(plan.groups):
        i=g.members; r=plan.amplitude[i]; sh=plan.shifts(g.frequency); cell=plan.cell[i]
        WA=g.A[(cell+sh[:,None])%plan.cells]; WB=g.B[(cell+sh[:,None])%plan.cells]
        dA=circuit.A[:,i]-r*WA; dB=circuit.B[:,i]-r*WB
        H=WA[:,None]+WB[None]; y=circuit.A[:,None,i]+circuit.B[None,:,i]; on=H>0; bd=plan.bounded[i]; near=(np.abs(H)<=g.level)&bd
        h=np.where(y>0,y,al*y)
        rb=np.where(near, np.where(on, pos(-dA)[:,None]+pos(-dB)[None], pos(dA)[:,None]+pos(dB)[None]),0)
        v=np.where(bd, np.where(on,y,al*y)+ka/2*rb, h)
        C+=np.moveaxis(v@split.u_hat[i],2,0); R+=ka/2*(rb@split.V[i])
        ea=np.where(on,np.abs(dA)[:,None],abs(al)*np.abs(dA)[:,None]+(1-abs(al))*np.where(near,pos(dA)[:,None],0))
        eb=np.where(on,np.abs(dB)[None],abs(al)*np.abs(dB)[None]+(1-abs(al))*np.where(near,pos(dB)[None],0))
        x=np.where(~bd&~on&(y>0),(1-abs(al))*y,0)
        n=lambda e: np.sqrt((e**2).sum(2))
        res+=np.minimum((ea+eb+x)@split.osc[i],(n(ea)+n(eb)+n(x))*(split.norm_U[num][Y]+split.norm_U[num].max()))
        exc+=int(((y>0)!=on)[:,:,~bd].sum())
    return PassSums(C=C,R=R,res=res,candidates=cand,exceptions=exc,arc_ends=[4]*len(plan.groups))
